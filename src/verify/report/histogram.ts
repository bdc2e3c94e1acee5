/**
 * Histogram of log₂(error / PyTorch's own error) as an SVG drawn by hand: bins of half an octave, beside them the errors
 * of exactly 0. Left of ×1 a result is nearer to the truth than PyTorch's float32; right of ×2 it needs the other clause
 * of the tolerance, two units in the last place.
 */
import { escapeHtml, formatCount, formatRatio } from './page/text.ts';

const LOWEST = -10;
const HIGHEST = 4;
const PER_OCTAVE = 2;
const BINS = (HIGHEST - LOWEST) * PER_OCTAVE;

export interface Histogram {
  /** Ratio 0. */
  readonly zero: number;
  /** log₂ ≤ LOWEST. */
  readonly below: number;
  /** Bin i holds LOWEST + i/2 < log₂ ≤ LOWEST + (i+1)/2. */
  readonly bins: readonly number[];
  /** log₂ > HIGHEST, Infinity included. */
  readonly above: number;
}

export function histogramOf(ratios: readonly number[]): Histogram {
  const bins = new Array<number>(BINS).fill(0);
  let [zero, below, above] = [0, 0, 0];
  for (const ratio of ratios) {
    const at = Math.ceil((Math.log2(ratio) - LOWEST) * PER_OCTAVE) - 1;
    if (ratio === 0) zero++;
    else if (at < 0) below++;
    else if (at >= BINS) above++;
    else bins[at]++;
  }
  return { zero, below, bins, above };
}

const WIDTH = 440;
const HEIGHT = 176;
const LEFT = 40;
const RIGHT = 8;
const TOP = 22;
const BOTTOM = 38;
/** The zero bin, a gap, what lies below, the bins, what lies above. */
const SLOT = (WIDTH - LEFT - RIGHT) / (BINS + 4);

const px = (x: number): string => String(Math.round(100 * x) / 100);

/** Where a value of log₂ is on the x axis. */
const xOf = (log2: number): number => LEFT + SLOT * (3 + (log2 - LOWEST) * PER_OCTAVE);

/** 1, 2 or 5 times a power of ten, so that at most four steps reach `most`. */
export function niceStep(most: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(most, 1) / 4));
  const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n * 4 >= most) ?? most;
  return Math.max(1, step);
}

/** A figure with its title, the picture and a sentence that says the same. */
export function histogramFigure(
  title: string,
  ratios: readonly number[],
  medianRatio: number | null,
): string {
  const { zero, below, bins, above } = histogramOf(ratios);
  const step = niceStep(Math.max(zero, below, above, ...bins));
  const top = step * Math.ceil(Math.max(1, zero, below, above, ...bins) / step);
  const floor = HEIGHT - BOTTOM;
  const yOf = (n: number): number => floor - ((floor - TOP) * n) / top;

  const bar = (x: number, n: number, what: string, kind = '') => {
    if (n === 0) return '';
    const hover = `<title>${what}: ${formatCount(n)} ${n === 1 ? 'row' : 'rows'}</title>`;
    const height = Math.max(1, floor - yOf(n)); // one row among thousands is seen, too
    const box = `x="${px(x + 0.5)}" y="${px(floor - height)}" width="${px(SLOT - 1)}" height="${px(height)}"`;
    return `<rect class="bar${kind}" ${box}>${hover}</rect>`;
  };
  const edge = (i: number) => LOWEST + i / PER_OCTAVE;
  const bars = [
    bar(LEFT, zero, 'error 0'),
    bar(LEFT + 2 * SLOT, below, `log₂ ≤ ${LOWEST}`),
    ...bins.map((n, i) =>
      bar(xOf(edge(i)), n, `${edge(i)} < log₂ ≤ ${edge(i + 1)}`, edge(i) >= 1 ? ' far' : ''),
    ),
    bar(xOf(HIGHEST), above, `log₂ > ${HIGHEST}`, ' far'),
  ];

  const lines: string[] = [];
  for (let n = 0; n <= top; n += step) {
    lines.push(`<path class="grid" d="M${LEFT} ${px(yOf(n))}H${WIDTH - RIGHT}"/>`);
    lines.push(`<text class="right" x="${LEFT - 5}" y="${px(yOf(n) + 4)}">${formatCount(n)}</text>`);
  }
  const labels = [
    `<text class="right" x="${LEFT - 5}" y="${TOP - 8}">rows</text>`,
    `<text x="${px(LEFT + SLOT / 2)}" y="${floor + 14}">exact</text>`,
  ];
  for (let log2 = LOWEST; log2 <= HIGHEST; log2 += 2) {
    labels.push(`<text x="${px(xOf(log2))}" y="${floor + 14}">${String(log2).replace('-', '−')}</text>`);
  }
  const marks = [0, 1].map(
    (log2) =>
      `<path class="mark" d="M${px(xOf(log2))} ${TOP - 4}V${floor}"/>` +
      `<text x="${px(xOf(log2))}" y="${TOP - 8}">×${2 ** log2}</text>`,
  );
  const axis = `<text x="${px((xOf(LOWEST) + xOf(HIGHEST)) / 2)}" y="${HEIGHT - 6}">log₂(error / PyTorch’s own error)</text>`;

  const nearer = ratios.filter((ratio) => ratio <= 1).length;
  const within = ratios.filter((ratio) => ratio <= 2).length;
  const part = (n: number) => `${Math.floor((100 * n) / ratios.length)} %`;
  const said =
    `${formatCount(ratios.length)} rows · median ${formatRatio(medianRatio)} · ` +
    `${part(nearer)} ≤ ×1 · ${part(within)} ≤ ×2`;
  return (
    `<figure><figcaption><b>${escapeHtml(title)}</b> ${said}</figcaption>` +
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(`${title}: ${said}`)}">` +
    `${lines.join('')}${bars.join('')}${marks.join('')}${labels.join('')}${axis}</svg></figure>`
  );
}
