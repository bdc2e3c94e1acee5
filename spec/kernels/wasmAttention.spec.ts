/** Attention beyond what wasm.spec.ts compares: large scores, sizes that fill no panel, and any division of the work. */
import { describe, expect, it } from 'vitest';
import type { View } from '../../src/kernels/backend.ts';
import { denseView, sizeOf } from '../../src/kernels/views.ts';
import { attentionBackwardCalls, attentionCalls } from '../../src/kernels/wasm/attention.ts';
import { hasRelaxedSimd } from '../../src/kernels/wasm/features.ts';
import { WORK_BYTES } from '../../src/kernels/wasm/generated/signatures.ts';
import { instantiate, type Wasm } from '../../src/kernels/wasm/module.ts';
import { cpu, dense, expectClose, numbers, on, type Sample, stored, variants } from './wasmSupport.ts';

interface Case {
  readonly q: Sample;
  readonly k: Sample;
  readonly v: Sample;
  readonly dy: Sample;
  readonly visible?: Sample;
  readonly causal: boolean;
}

const SIZES: readonly (readonly [shape: number[], kvHeads: number, S: number])[] = [
  [[1, 2, 40, 16], 2, 40],
  [[2, 4, 37, 20], 2, 37],
  [[1, 3, 9, 33], 1, 50],
  [[1, 6, 70, 8], 3, 90],
  [[2, 2, 3, 64], 1, 131],
  [[1, 2, 1, 12], 2, 77],
];

function bytes(B: number, S: number, seed: number, least: number): Sample {
  const data = Uint8Array.from(numbers(B * S, seed), (x) => Number(x > least));
  return { data, shape: [B, S], strides: [S, 1], offset: 0 };
}

function ordinary(shape: readonly number[], kvHeads: number, S: number, amplitude = 1): Case {
  const kv = [shape[0], kvHeads, S, shape[3]];
  return {
    q: dense(shape, 1, amplitude),
    k: dense(kv, 2, amplitude),
    v: dense(kv, 3),
    dy: dense(shape, 4),
    causal: true,
  };
}

/**
 * All keys of a query nearly alike: q and k have a great part in common, whose product is the score, `most` in the middle,
 * and differ by so much that the scores of a row differ by less than some units.
 */
function nearlyTied(shape: readonly number[], kvHeads: number, S: number, most: number): Case {
  const K = shape[3];
  const common = numbers(K, 9).map((x) => Math.sign(x));
  // q·k/√K = a²·√K when both are `common` times a.
  const a = Math.sqrt(Math.abs(most) / Math.sqrt(K));
  const near = (x: Sample, size: number, by: number): Sample => ({
    ...x,
    data: (x.data as Float32Array).map((e, i) => size * common[i % K] + by * e),
  });
  const plain = ordinary(shape, kvHeads, S);
  return { ...plain, q: near(plain.q, Math.sign(most) * a, 1), k: near(plain.k, a, 3 / a) };
}

/** Least magnitudes that tolerances are taken of. */
const NO_FLOORS = { y: 1e-30, dq: 1e-30, dk: 1e-30, dv: 1e-30 };

function float64(x: Sample): Sample {
  return { ...x, data: Float64Array.from(x.data) };
}

describe.each(variants)('wasm attention, $name', ({ wasm }) => {
  /**
   * Forward and backward against double precision: every element within `tolerance` times the greatest, or times
   * `floors` if that is more. Where one key takes nearly all, dq and dk are differences of nearly equal numbers: they are
   * held to the size of what is subtracted, |dP|/√K (about 1 here) times the greatest of k and q.
   */
  function check(
    what: string,
    { q, k, v, dy, visible, causal }: Case,
    tolerance: number,
    floors = NO_FLOORS,
  ): void {
    wasm.openScope();
    cpu.openScope();
    const [got, want] = [wasm, cpu].map((backend) => {
      const x = [q, k, v, dy].map((sample) => on(backend, backend === cpu ? float64(sample) : sample));
      const shown = visible ? on(backend, visible) : null;
      const { y, saved } = backend.attention(x[0], x[1], x[2], shown, { causal });
      const { dq, dk, dv } = backend.attentionBackward(x[0], x[1], x[2], shown, { causal }, saved, x[3]);
      return { y, dq, dk, dv };
    });
    for (const name of ['y', 'dq', 'dk', 'dv'] as const) {
      const rounded = cpu.cast(want[name], 'float32');
      expectClose(got[name], rounded, wasm, tolerance, `${what}: ${name}`, floors[name]);
    }
    wasm.closeScope(new Set());
    cpu.closeScope(new Set());
  }

  // Sixteen float32 roundings of a result, 16·2⁻²⁴, which ordinary scores are held to too: see wasm.spec.ts.
  const DIGITS = 1e-6;

  it.each(SIZES)(
    'large scores are as exact as small ones: %j, %d key heads, %d keys',
    (shape, kvHeads, S) => {
      for (const amplitude of [30, 120]) {
        const spread = ordinary(shape, kvHeads, S, amplitude);
        const floors = { ...NO_FLOORS, dq: amplitude, dk: amplitude };
        check(`amplitude ${amplitude}`, spread, DIGITS, floors);
        check(`amplitude ${amplitude}, all keys`, { ...spread, causal: false }, DIGITS, floors);
        check(
          `amplitude ${amplitude}, some keys`,
          { ...spread, visible: bytes(shape[0], S, 5, -0.4) },
          DIGITS,
          floors,
        );
      }
      for (const most of [30, 3000, -3000, 1e6]) {
        const tied = nearlyTied(shape, kvHeads, S, most);
        check(`near ${most}`, tied, DIGITS);
        check(`near ${most}, some keys`, { ...tied, visible: bytes(shape[0], S, 6, 0) }, DIGITS);
      }
    },
  );

  it('large scores under every stride', () => {
    const [shape, kv] = [
      [2, 2, 11, 12],
      [2, 1, 14, 12],
    ];
    for (const order of [
      [0, 2, 1, 3],
      [3, 0, 1, 2],
    ]) {
      const times30 = (x: Sample): Sample => ({ ...x, data: (x.data as Float32Array).map((e) => 30 * e) });
      const [q, k] = [times30(stored(shape, order, 1)), times30(stored(kv, order, 2))];
      const [v, dy] = [stored(kv, order, 3), stored(shape, order, 4)];
      for (const causal of [true, false])
        check(`stored ${order}`, { q, k, v, dy, causal }, DIGITS, { ...NO_FLOORS, dq: 30, dk: 30 });
    }
  });

  it('scores just too small to be computed again', () => {
    // Up to 16 a float32 score stands: off by half a unit in the last place, 2⁻²¹, for itself and as much for each of
    // the K/8 times that its sum of products is rounded near its size; a gradient has the difference of two such.
    const K = 32;
    for (const amplitude of [2, 3, 4, 5, 6]) {
      check(`amplitude ${amplitude}`, ordinary([1, 2, 60, K], 2, 60, amplitude), (1 + K / 8) * 2 ** -20);
    }
  });

  it('sizes that fill no panel, queries that see nothing', () => {
    for (const K of [1, 3, 4, 5, 8, 11])
      for (const T of [1, 4, 5, 8, 13, 33, 67])
        for (const S of [T, T + 1, T + 6, Math.max(1, T - 3)]) {
          const sample = ordinary([1, 4, T, K], 2, S, 2);
          const what = `T ${T} S ${S} K ${K}`;
          const floors = { y: 0.1, dq: 2, dk: 2, dv: 0.1 };
          check(what, sample, DIGITS, floors);
          check(`${what}, few keys`, { ...sample, visible: bytes(1, S, T + S, 0.7) }, DIGITS, floors);
          check(`${what}, no key`, { ...sample, causal: false, visible: bytes(1, S, 1, 2) }, 0);
        }
  });

  it('empty axes', () => {
    check('no query', ordinary([1, 2, 0, 4], 2, 3), 0);
    check('no key', ordinary([1, 2, 3, 4], 2, 0), 0);
    check('no key, many queries', ordinary([1, 2, 20, 4], 2, 0), 0);
    check('no head', ordinary([1, 0, 3, 4], 0, 3), 0);
    check('no batch', ordinary([0, 2, 3, 4], 2, 3), 0);
  });

  it('NaN stays in the rows that see it', () => {
    const { q, k, v } = ordinary([1, 1, 12, 4], 1, 12);
    const data = Float32Array.from(q.data);
    data[5 * 4] = Number.NaN;
    const y = wasm.attention(on(wasm, { ...q, data }), on(wasm, k), on(wasm, v), null, { causal: true }).y;
    const values = [...wasm.readSync(y)];
    expect(values.map(Number.isNaN)).toEqual(values.map((_, i) => i >> 2 === 5));
  });
});

describe.each([false, ...(hasRelaxedSimd() ? [true] : [])])(
  'division of the work, relaxed: %s',
  (relaxed) => {
    const shape = [2, 4, 203, 12];
    const [kvHeads, S] = [2, 210];
    const kv = [2, kvHeads, S, 12];

    function place(wasm: Wasm, x: Sample): View {
      const buffer = wasm.heap.allocate('float32', x.data.length, false);
      buffer.data.set(x.data);
      return { ...x, buffer };
    }

    /** Results of one division, computed as thread 1 of 3; `arrange` says in which order. */
    function compute(pieces: number, arrange: <T>(calls: T[]) => T[]): { bits: Uint8Array[]; calls: number } {
      const wasm = instantiate({ relaxed, threads: 1 });
      const { heap, kernels } = wasm;
      kernels.enter({ number: 1, at: heap.reserve(WORK_BYTES) });
      // Half of the rows have scores that are computed again.
      const large = dense(shape, 1, 20);
      const q = { ...large, data: (large.data as Float32Array).map((x, i) => ((i / 12) & 1 ? x : x / 20)) };
      const views = [q, dense(kv, 2, 4), dense(kv, 3), dense(shape, 4)].map((x) => place(wasm, x));
      const operands = { q: views[0], k: views[1], v: views[2], visible: null, causal: true };
      const empty = (of: readonly number[]) => denseView(heap.allocate('float32', sizeOf(of), false), of);
      const [y, dq, dk, dv] = [empty(shape), empty(shape), empty(kv), empty(kv)];

      const room = (share: number) => {
        const buffer = heap.allocate('bool', 3 * share, false);
        buffer.data.fill(0xa5);
        return { buffer, work: { address: buffer.pointer, share } };
      };
      const forward = room(kernels.attentionShare({ S, K: 12 }));
      const calls = attentionCalls(wasm, operands, y, forward.work, pieces);
      for (const args of arrange(calls)) kernels.attention(args);
      const backward = room(kernels.attentionBackwardShare({ S, K: 12 }));
      const gradients = attentionBackwardCalls(wasm, operands, views[3], { dq, dk, dv }, backward.work);
      for (const args of arrange(gradients)) kernels.attentionBackward(args);

      for (const { buffer, work } of [forward, backward]) {
        const others = [buffer.data.slice(0, work.share), buffer.data.slice(2 * work.share)];
        for (const part of others) expect(part.every((byte) => byte === 0xa5)).toBe(true);
      }
      const bits = [y, dq, dk, dv].map(({ buffer }) => {
        const { pointer, length } = buffer as ReturnType<typeof heap.allocate>;
        return new Uint8Array(heap.buffer, pointer, 4 * length).slice();
      });
      return { bits, calls: calls.length };
    }

    it('changes no bit of the result, and each thread stays in its own memory', () => {
      const whole = compute(1, (calls) => calls);
      expect(whole.calls).toBe(8);
      for (const pieces of [2, 3, 100]) {
        const divided = compute(pieces, (calls) => calls.toReversed());
        expect(divided.calls).toBe(8 * Math.min(pieces, 4));
        expect(divided.bits).toEqual(whole.bits);
      }
    });
  },
);
