/** SwiGLU (Shazeer, arXiv 2002.05202): silu(gate) ⊙ up, in one pass. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { forEachLine } from './lines.ts';
import { silu, siluDerivative } from './unary.ts';

export function swigluKernels(heap: Heap): Pick<Backend, 'swiglu' | 'swigluBackward'> {
  return {
    swiglu(gate, up) {
      const y = result(heap, gate.shape, gate.buffer.dtype);
      const [Y, G, U] = [y, gate, up].map(asNdarray);
      const [ys, gs, us] = [Y.data, G.data, U.data];
      forEachLine([Y, G, U], (n, [yAt, gAt, uAt], [yStep, gStep, uStep]) => {
        for (let j = 0; j < n; j++) ys[yAt + j * yStep] = silu(gs[gAt + j * gStep]) * us[uAt + j * uStep];
      });
      return y;
    },

    swigluBackward(gate, up, dy) {
      const dgate = result(heap, gate.shape, gate.buffer.dtype);
      const dup = result(heap, gate.shape, gate.buffer.dtype);
      const [DG, DU, G, U, DY] = [dgate, dup, gate, up, dy].map(asNdarray);
      const [dgs, dus, gs, us, dys] = [DG.data, DU.data, G.data, U.data, DY.data];
      // dgate and dup are dense alike: one offset and one stride serve both.
      forEachLine([DG, G, U, DY], (n, [at, gAt, uAt, dyAt], [step, gStep, uStep, dyStep]) => {
        for (let j = 0; j < n; j++) {
          const [g, d] = [gs[gAt + j * gStep], dys[dyAt + j * dyStep]];
          dgs[at + j * step] = d * us[uAt + j * uStep] * siluDerivative(g);
          dus[at + j * step] = d * silu(g);
        }
      });
      return { dgate, dup };
    },
  };
}
