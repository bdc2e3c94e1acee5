/** Views as the compiled kernels want them: as few axes as the strides allow. */

/**
 * The same elements in the same order with fewer axes: axes of size 1 go, and neighbours that every one of the strides
 * lists steps through evenly become one. At least one axis stays.
 */
export function collapse(
  shape: readonly number[],
  lists: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const out: number[] = [];
  const strides: number[][] = lists.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const n = shape[axis];
    if (n === 1) continue;
    const last = out.length - 1;
    if (last >= 0 && lists.every((list, i) => strides[i][last] === n * list[axis])) {
      out[last] *= n;
      lists.forEach((list, i) => {
        strides[i][last] = list[axis];
      });
    } else {
      out.push(n);
      lists.forEach((list, i) => {
        strides[i].push(list[axis]);
      });
    }
  }
  if (out.length === 0) {
    out.push(1);
    for (const list of strides) list.push(1);
  }
  return { shape: out, strides };
}
