/** Rotary position embedding (Su et al., arXiv 2104.09864), half-split: the pair of channel j is j + K/2. */
import type { Backend } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result, type Strided, strided } from './host.ts';
import { forEachLine } from './lines.ts';

/** [B, T, K/2] seen as [B, H, T, K/2]: every head turns by the same angles. */
function overHeads(x: Strided, H: number): Strided {
  return strided(x.data, x.shape.toSpliced(1, 0, H), x.stride.toSpliced(1, 0, 0), x.offset);
}

export function rotaryKernels(heap: Heap): Pick<Backend, 'rotary'> {
  return {
    rotary(x, cos, sin, inverse) {
      const [B, H, T, K] = x.shape;
      const y = result(heap, x.shape, x.buffer.dtype);
      const [X, Y] = [asNdarray(x), asNdarray(y)];
      const [C, S] = [overHeads(asNdarray(cos), H), overHeads(asNdarray(sin), H)];
      const first = (a: Strided) => a.hi(B, H, T, K / 2);
      const second = (a: Strided) => a.lo(0, 0, 0, K / 2);
      const [xs, ys, cs, ss] = [X.data, Y.data, C.data, S.data];
      const sign = inverse ? -1 : 1;
      const operands = [first(X), second(X), C, S, first(Y), second(Y)];
      forEachLine(operands, (n, [x0At, x1At, cAt, sAt, y0At, y1At], [xStep, , cStep, sStep, yStep]) => {
        for (let j = 0; j < n; j++) {
          const [x0, x1] = [xs[x0At + j * xStep], xs[x1At + j * xStep]];
          const [c, s] = [cs[cAt + j * cStep], sign * ss[sAt + j * sStep]];
          ys[y0At + j * yStep] = x0 * c - x1 * s;
          ys[y1At + j * yStep] = x0 * s + x1 * c;
        }
      });
      return y;
    },
  };
}
