/**
 * AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, algorithm 2).
 *
 * What is stored is rounded to the dtype whatever the heap holds it in, so that saving and loading loses nothing.
 */
import type { Backend } from '../backend.ts';
import { sizeOf } from '../views.ts';
import { dataOf } from './host.ts';

export function adamwKernels(): Pick<Backend, 'adamw'> {
  return {
    adamw(param, grad, m, v, { lr, beta1, beta2, eps, weightDecay, step }) {
      const [ps, gs, ms, vs] = [dataOf(param), dataOf(grad), dataOf(m), dataOf(v)];
      const n = sizeOf(param.shape);
      const rounded = param.buffer.dtype === 'float32' ? Math.fround : (x: number) => x;
      const correction1 = 1 - beta1 ** step;
      const correction2 = 1 - beta2 ** step;
      for (let i = 0; i < n; i++) {
        const g = gs[grad.offset + i];
        const m1 = beta1 * ms[m.offset + i] + (1 - beta1) * g;
        const v1 = beta2 * vs[v.offset + i] + (1 - beta2) * g * g;
        const decayed = ps[param.offset + i] * (1 - lr * weightDecay);
        ms[m.offset + i] = rounded(m1);
        vs[v.offset + i] = rounded(v1);
        const update = (lr * (m1 / correction1)) / (Math.sqrt(v1 / correction2) + eps);
        ps[param.offset + i] = rounded(decayed - update);
      }
    },
  };
}
