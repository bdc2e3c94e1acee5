/** Attention composed of a backend's matmul and softmax is the fused kernel of the cpu backend, forward and backward. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { View } from '../../src/kernels/backend.ts';
import { composedAttention } from '../../src/kernels/composedAttention.ts';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { denseView, sizeOf, swapLastTwo } from '../../src/kernels/views.ts';
import { Rng } from '../../src/tensor/random.ts';
import { expectClose } from '../support/agree.ts';

const cpu = createCpuBackend();
const composed = composedAttention(cpu);

/** Random [..., m, n], dense or as the transpose of [..., n, m]. */
function random(shape: readonly number[], rng: Rng, transposed: boolean): View {
  const [m, n] = shape.slice(-2);
  const stored = transposed ? [...shape.slice(0, -2), n, m] : [...shape];
  const view = denseView(
    cpu.upload(Float64Array.from({ length: sizeOf(shape) }, () => rng.normal())),
    stored,
  );
  return transposed ? swapLastTwo(view) : view;
}

const size = (min: number, max: number) => fc.integer({ min, max });

const cases = fc.record({
  B: size(1, 2),
  kv: size(1, 3),
  G: size(1, 3),
  T: size(1, 4),
  more: size(0, 3),
  K: size(1, 4),
  causal: fc.boolean(),
  masked: fc.boolean(),
  transposed: fc.boolean(),
  seed: fc.nat(100_000),
});

describe('composedAttention', () => {
  it('equals the fused kernel', () => {
    const property = fc.property(cases, ({ B, kv, G, T, more, K, causal, masked, transposed, seed }) => {
      const rng = new Rng(seed);
      const S = T + more;
      const [q, k, v] = [
        random([B, kv * G, T, K], rng, transposed),
        random([B, kv, S, K], rng, transposed),
        random([B, kv, S, K], rng, false),
      ];
      const dy = random(q.shape, rng, transposed);
      const seen = Uint8Array.from({ length: B * S }, () => Number(rng.uniform() < 0.6));
      const visible = masked ? denseView(cpu.upload(seen), [B, S]) : null;
      const run = ({ attention, attentionBackward }: typeof composed) => {
        const { y, saved } = attention(q, k, v, visible, { causal });
        return { y, ...attentionBackward(q, k, v, visible, { causal }, saved, dy) };
      };
      const [got, wanted] = [run(composed), run(cpu)];
      for (const name of ['y', 'dq', 'dk', 'dv'] as const) {
        expect(got[name].shape, name).toEqual(wanted[name].shape);
        expectClose(cpu.readSync(got[name]), cpu.readSync(wanted[name]), 1e-12, name);
      }
    });
    fc.assert(property, { numRuns: 80, seed: 1 });
  });
});
