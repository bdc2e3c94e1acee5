/** A picture as text: "▀" with the colours of the two pixels it covers. */
import { type RgbImage, resizeBicubic } from '../data/index.ts';

/** `side` columns wide, side / 2 lines high. */
export function thumbnail(image: RgbImage, side: number): string[] {
  const { data } = resizeBicubic(image, side, side);
  const rgb = (x: number, y: number): string =>
    data.subarray((y * side + x) * 3, (y * side + x) * 3 + 3).join(';');
  return Array.from({ length: side / 2 }, (_, line) => {
    const cells = Array.from(
      { length: side },
      (_, x) => `\u001b[38;2;${rgb(x, 2 * line)};48;2;${rgb(x, 2 * line + 1)}m▀`,
    );
    return `${cells.join('')}\u001b[0m`;
  });
}
