/** Texts of the report page, in the HTML and in its script: escapes and numbers. */

/** For element contents and for quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** 20,000 */
export function formatCount(n: number): string {
  return n.toLocaleString('en-US');
}

/** An absolute error: "1.19e-7", "0", "∞"; "–" for null. */
export function formatError(x: number | null): string {
  if (x === null) return '–';
  if (x === 0) return '0';
  return Number.isFinite(x) ? x.toExponential(2) : String(x).replace('Infinity', '∞');
}

/** A multiple: "0.723", "12.3", "4.1e+5", "∞". */
export function formatRatio(x: number | null, digits = 3): string {
  if (x === null) return '–';
  if (x === 0) return '0';
  if (!Number.isFinite(x)) return String(x).replace('Infinity', '∞');
  return x < 0.001 || x >= 1000 ? x.toExponential(1) : x >= 100 ? x.toFixed(0) : x.toPrecision(digits);
}

/** A part of a whole in per cent, without the sign: "38.2", "<0.1", "1.2e+4", "∞". */
export function formatPercent(part: number): string {
  const x = 100 * part;
  if (x === 0) return '0';
  if (!Number.isFinite(x)) return String(x).replace('Infinity', '∞');
  if (x < 0.1) return '<0.1';
  return x < 10_000 ? x.toFixed(1) : x.toExponential(1);
}
