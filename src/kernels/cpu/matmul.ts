/**
 * Matrix product. M rows of a, N columns of b, K terms per sum, accumulated in double precision in the order of k.
 *
 * Both operands are gathered into panels: ROWS rows of a (COLUMNS columns of b) side by side, k by k, as doubles. This
 * takes any strides at the cost of one pass over the operand, and the inner loop meets nothing but dense Float64Arrays.
 */
import type { Backend, HostArray } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { forEachPosition } from './lines.ts';

/** The tile of results that is kept in local variables while k runs. */
const ROWS = 2;
const COLUMNS = 4;

/**
 * Writes `lanes` lines of K elements to `panel`, interleaved `width` wide. At the edge of a matrix lanes are fewer than
 * `width`; what the others hold only reaches results that are dropped.
 */
function pack(
  panel: Float64Array,
  panelAt: number,
  width: number,
  source: HostArray,
  at: number,
  lanes: number,
  laneStride: number,
  K: number,
  kStride: number,
): void {
  for (let lane = 0; lane < lanes; lane++)
    for (let k = 0; k < K; k++)
      panel[panelAt + k * width + lane] = source[at + lane * laneStride + k * kStride];
}

/** tile [ROWS, COLUMNS] = Σₖ a[k, :]ᵀ b[k, :] */
function multiply(a: Float64Array, aAt: number, b: Float64Array, K: number, tile: Float64Array): void {
  let c00 = 0;
  let c01 = 0;
  let c02 = 0;
  let c03 = 0;
  let c10 = 0;
  let c11 = 0;
  let c12 = 0;
  let c13 = 0;
  for (let k = 0; k < K; k++) {
    const a0 = a[aAt + k * ROWS];
    const a1 = a[aAt + k * ROWS + 1];
    const b0 = b[k * COLUMNS];
    const b1 = b[k * COLUMNS + 1];
    const b2 = b[k * COLUMNS + 2];
    const b3 = b[k * COLUMNS + 3];
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
  }
  tile[0] = c00;
  tile[1] = c01;
  tile[2] = c02;
  tile[3] = c03;
  tile[4] = c10;
  tile[5] = c11;
  tile[6] = c12;
  tile[7] = c13;
}

export function matmulKernels(heap: Heap): Pick<Backend, 'matmul'> {
  return {
    matmul(a, b) {
      const lead = a.shape.slice(0, -2);
      const [M, K] = a.shape.slice(-2);
      const N = b.shape[lead.length + 1];
      const c = result(heap, [...lead, M, N], a.buffer.dtype);
      const [A, B, C] = [asNdarray(a), asNdarray(b), asNdarray(c)];
      const [aRow, aK] = A.stride.slice(-2);
      const [bK, bColumn] = B.stride.slice(-2);

      const aPanels = new Float64Array(Math.ceil(M / ROWS) * ROWS * K);
      const bPanel = new Float64Array(COLUMNS * K);
      const tile = new Float64Array(ROWS * COLUMNS);
      forEachPosition(lead, [A, B, C], ([aAt, bAt, cAt]) => {
        for (let m = 0; m < M; m += ROWS)
          pack(aPanels, m * K, ROWS, A.data, aAt + m * aRow, Math.min(ROWS, M - m), aRow, K, aK);
        for (let n = 0; n < N; n += COLUMNS) {
          const columns = Math.min(COLUMNS, N - n);
          pack(bPanel, 0, COLUMNS, B.data, bAt + n * bColumn, columns, bColumn, K, bK);
          for (let m = 0; m < M; m += ROWS) {
            multiply(aPanels, m * K, bPanel, K, tile);
            const rows = Math.min(ROWS, M - m);
            for (let i = 0; i < rows; i++)
              for (let j = 0; j < columns; j++) C.data[cAt + (m + i) * N + n + j] = tile[i * COLUMNS + j];
          }
        }
      });
      return c;
    },
  };
}
