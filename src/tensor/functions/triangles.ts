/**
 * Triangles of the matrices in the last two axes; the other elements are 0, whatever they were:
 *
 *   tril   row i keeps column j where j ≤ i + diagonal
 *   triu   row i keeps column j where j ≥ i + diagonal
 */
import { ShapeError } from '../errors.ts';
import { Tensor } from '../tensor.ts';
import { where } from './choosing.ts';

function triangle(op: string, x: Tensor, diagonal: number, keeps: (above: Tensor) => Tensor): Tensor {
  if (x.rank < 2) {
    throw new ShapeError({ op, argument: 'x', got: { x }, rule: 'needs at least 2 axes' });
  }
  if (!Number.isInteger(diagonal)) {
    const rule = `needs a whole number, not ${diagonal}`;
    throw new ShapeError({ op, argument: 'diagonal', got: { x }, rule });
  }
  const [rows, columns] = x.shape.slice(-2);
  // How far right of the main diagonal an element stands: j − i.
  const above = Tensor.arange(columns).sub(Tensor.arange(rows).unsqueeze(1));
  return where(keeps(above), x, Tensor.zeros([], { dtype: x.dtype }));
}

/** The lower triangle of each matrix, zeros above it. */
export function tril(x: Tensor, diagonal = 0): Tensor {
  return triangle('tril', x, diagonal, (above) => above.le(diagonal));
}

/** The upper triangle of each matrix, zeros below it. */
export function triu(x: Tensor, diagonal = 0): Tensor {
  return triangle('triu', x, diagonal, (above) => above.ge(diagonal));
}
