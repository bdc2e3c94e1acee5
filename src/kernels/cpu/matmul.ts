/** Matrix product. M rows of a, N columns of b, K terms per sum, accumulated in double precision in the order of k. */
import type { Backend, HostArray } from '../backend.ts';
import type { Heap } from '../heap.ts';
import { asNdarray, result } from './host.ts';
import { forEachPosition } from './lines.ts';
import { COLUMNS, multiplyTile, ROWS } from './matmulTile.ts';

/** Writes `count` lines of K elements one behind the other, as doubles: the loops over them meet no strides. */
function gather(
  lines: Float64Array,
  data: HostArray,
  at: number,
  count: number,
  stride: number,
  K: number,
  kStride: number,
): void {
  for (let i = 0; i < count; i++)
    for (let k = 0; k < K; k++) lines[i * K + k] = data[at + i * stride + k * kStride];
}

/** c[m, n] = Σₖ rows[m, k] · columns[n, k]: whole tiles at once, what is left at the edges one by one. */
function multiply(
  rows: Float64Array,
  columns: Float64Array,
  [M, N, K]: readonly [number, number, number],
  c: HostArray,
  at: number,
): void {
  const edgeRow = M - (M % ROWS);
  const edgeColumn = N - (N % COLUMNS);
  for (let m = 0; m < edgeRow; m += ROWS)
    for (let n = 0; n < edgeColumn; n += COLUMNS)
      multiplyTile(rows, m * K, columns, n * K, K, c, at + m * N + n, N);
  for (let m = 0; m < M; m++)
    for (let n = m < edgeRow ? edgeColumn : 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) sum += rows[m * K + k] * columns[n * K + k];
      c[at + m * N + n] = sum;
    }
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
      const rows = new Float64Array(M * K);
      const columns = new Float64Array(N * K);
      forEachPosition(lead, [A, B, C], ([aAt, bAt, cAt]) => {
        gather(rows, A.data, aAt, M, aRow, K, aK);
        gather(columns, B.data, bAt, N, bColumn, K, bK);
        multiply(rows, columns, [M, N, K], C.data, cAt);
      });
      return c;
    },
  };
}
