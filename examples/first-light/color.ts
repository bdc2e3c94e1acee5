/** The colour that covers most of a picture, in plain words: the answer to "what color is it?". */

/** Upper ends of the hue ranges (degrees) and their names; beyond the last one it is red again. */
const hueNames: readonly (readonly [upTo: number, name: string])[] = [
  [16, 'red'],
  [42, 'orange'],
  [68, 'yellow'],
  [165, 'green'],
  [255, 'blue'],
  [300, 'purple'],
  [345, 'pink'],
  [360, 'red'],
];

/** Names one sRGB colour (0…255 each). Pale, dark and dull ones become white, black, gray or brown. */
export function colorName(r: number, g: number, b: number): string {
  const max = Math.max(r, g, b);
  const chroma = max - Math.min(r, g, b);
  const saturation = max === 0 ? 0 : chroma / max;
  if (max < 70) return 'black';
  if (saturation < 0.15) return max > 215 ? 'white' : 'gray';
  const sector =
    max === r ? ((g - b) / chroma + 6) % 6 : max === g ? (b - r) / chroma + 2 : (r - g) / chroma + 4;
  const hue = sector * 60;
  if ((hue < 45 || hue > 345) && max < 175) return 'brown';
  if ((hue < 16 || hue > 330) && saturation < 0.55 && max > 200) return 'pink';
  return hueNames.find(([upTo]) => hue <= upTo)![1];
}

/**
 * The named colour covering at least `share` of everything that is not background, or undefined where none does.
 *
 * @param rgb Height × width × 3 bytes on a white ground; (almost) white pixels count as ground.
 */
export function dominantColor(rgb: Uint8Array, share = 0.5): string | undefined {
  const counts = new Map<string, number>();
  let total = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    const [r, g, b] = [rgb[i], rgb[i + 1], rgb[i + 2]];
    if (Math.min(r, g, b) > 245) continue;
    const name = colorName(r, g, b);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    total++;
  }
  for (const [name, count] of counts) if (count >= share * total) return name;
  return undefined;
}
