/**
 * Chroma upsampling as libjpeg-turbo does it by default ("fancy upsampling").
 *
 * A chroma sample of a 2:1 axis lies between two pixels, so each pixel mixes the nearer sample with weight
 * 3/4 and the farther with 1/4; at the border there is no farther one. Where rounding could go either way it
 * alternates between neighbours, which keeps the mean: hence the two biases below. Other ratios repeat
 * samples.
 */

/** `plane` [planeHeight, planeWidth] at `repeatX`, `repeatY` times its size, cut to [height, width]. */
export function upsample(
  plane: Uint8Array,
  planeWidth: number,
  planeHeight: number,
  repeatX: number,
  repeatY: number,
  width: number,
  height: number,
): Uint8Array {
  if (repeatX === 1 && repeatY === 1) return plane;
  // libjpeg has no triangle filter for planes of one or two columns.
  const smoothX = repeatX === 2 && repeatY <= 2 && planeWidth > 2;
  const smoothY = repeatY === 2 && (smoothX || repeatX === 1);
  const out = new Uint8Array(width * height);
  const row = new Uint16Array(planeWidth);
  for (let y = 0; y < height; y++) {
    const near = Math.floor(y / repeatY);
    const nearRow = plane.subarray(near * planeWidth, (near + 1) * planeWidth);
    const target = out.subarray(y * width, (y + 1) * width);
    if (smoothY) {
      const far = Math.min(Math.max(near + (y % 2 === 0 ? -1 : 1), 0), planeHeight - 1);
      for (let x = 0; x < planeWidth; x++) row[x] = 3 * nearRow[x] + plane[far * planeWidth + x];
      if (smoothX) smoothRow(row, target, 4, 8, 7);
      else for (let x = 0; x < width; x++) target[x] = (row[x] + (y % 2 === 0 ? 1 : 2)) >> 2;
    } else if (smoothX) {
      row.set(nearRow);
      smoothRow(row, target, 2, 1, 2);
    } else {
      for (let x = 0; x < width; x++) target[x] = nearRow[Math.floor(x / repeatX)];
    }
  }
  return out;
}

/**
 *   target[2x]   = (3 row[x] + row[x−1] + leftBias) >> shift
 *   target[2x+1] = (3 row[x] + row[x+1] + rightBias) >> shift, where a border sample is its own neighbour.
 */
function smoothRow(
  row: Uint16Array,
  target: Uint8Array,
  shift: number,
  leftBias: number,
  rightBias: number,
): void {
  const last = row.length - 1;
  for (let i = 0; i < target.length; i++) {
    const x = i >> 1;
    const far = i % 2 === 0 ? Math.max(x - 1, 0) : Math.min(x + 1, last);
    target[i] = (3 * row[x] + row[far] + (i % 2 === 0 ? leftBias : rightBias)) >> shift;
  }
}
