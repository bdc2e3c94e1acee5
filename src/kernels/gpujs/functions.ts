/**
 * exp, log, sin, cos, tanh and the normal distribution as texts of GPU.js code, to some units in the last place of float32
 * in every mode. A GPU's own are wrong in the sixth digit (allowed by its standards), sin far from 0 in the third.
 *
 * The polynomials are weighted least-squares fits (Lawson's reweighting, near minimax) made for this project. Each text
 * declares its result `y` and helpers whose names begin with `y`; `x` is the name of a float.
 */

/** 2ⁿ for n = −80 … 80, a constant of the programs that use it: GPUs have no exact power of two, either. */
export const POWERS = Float32Array.from({ length: 161 }, (_, i) => 2 ** (i - 80));
const power = (n: string) => `this.constants.POWERS[${n} + 80]`;

/** A polynomial in x, coefficients from the highest power down. */
function polynomial(x: string, [first, ...rest]: readonly number[]): string {
  return rest.reduce((sum, c) => `(${sum} * ${x} ${c < 0 ? '-' : '+'} ${Math.abs(c)})`, String(first));
}

/**
 * x = n·ln 2 + r with |r| ≤ ½ ln 2, eˣ = 2ⁿ·(1 + r + r²·q(r)); ln 2 in two pieces, of which n times the first is exact. 2ⁿ is
 * two factors, as n may lie outside the exponents of float32. 0 below −104, ∞ above 88.73.
 */
export function exp(y: string, x: string): string {
  const q = [0.0013950599823147058, 0.008368954062461853, 0.04166620597243309, 0.166665181517601, 0.5];
  return `
  const ${y}v = Math.min(Math.max(${x}, -104.5), 89.0);
  const ${y}n = Math.floor(${y}v * 1.4426950408889634 + 0.5);
  const ${y}r = ${y}v - ${y}n * 0.693145751953125 - ${y}n * 0.0000014286068203094172;
  const ${y}q = ${polynomial(`${y}r`, q)};
  const ${y}h = Math.floor(${y}n * 0.5);
  const ${y} = (1.0 + (${y}r + ${y}r * ${y}r * ${y}q)) * ${power(`${y}h`)} * ${power(`${y}n - ${y}h`)};`;
}

/**
 * ln x = n·ln 2 + ln m, m = x·2⁻ⁿ about 1, f = m − 1: ln m = f − f²/2 + f³·P(f). The device's log only finds n, and answers
 * where x is not between 0 and ∞.
 */
export function log(y: string, x: string): string {
  const p = [
    0.06843896048673062, -0.11788479319602974, 0.11902121812950368, -0.12386554993194056, 0.14215344890966333,
    -0.16669020049550448, 0.20002362444775923, -0.2499999212415667, 0.33333308827852365,
  ];
  return `
  let ${y} = Math.log(${x});
  if (${x} > 0 && ${x} < 3.4e38) {
    const ${y}n = Math.floor(${y} * 1.4426950408889634 + 0.5);
    const ${y}h = Math.floor(${y}n * 0.5);
    const ${y}f = ${x} * ${power(`0 - ${y}h`)} * ${power(`${y}h - ${y}n`)} - 1.0;
    const ${y}s = ${y}f * ${y}f;
    const ${y}p = ${polynomial(`${y}f`, p)};
    const ${y}t = ${y}n * 0.0000014286068203094172 - 0.5 * ${y}s + ${y}s * ${y}f * ${y}p;
    ${y} = ${y}n * 0.693145751953125 + (${y}f + ${y}t);
  }`;
}

/** σ(x) = 1/(1 + e^(−x)) with an exponential that never overflows. */
export function sigmoid(y: string, x: string): string {
  return `
  const ${y}m = 0.0 - Math.abs(${x});${exp(`${y}e`, `${y}m`)}
  let ${y} = 1.0 / (1.0 + ${y}e);
  if (${x} < 0) { ${y} = ${y}e / (1.0 + ${y}e); }`;
}

/** x + x³·P(x²) to 0.625, beyond that 1 − 2/(e^2|x| + 1) with the sign of x. */
export function tanh(y: string, x: string): string {
  const p = [
    0.002149677923939368, -0.00818527464345383, 0.021704160393772112, -0.05394745861278952,
    0.1333321222114042, -0.3333333098937417,
  ];
  return `
  const ${y}m = 2.0 * Math.abs(${x});${exp(`${y}e`, `${y}m`)}
  const ${y}s = ${x} * ${x};
  let ${y} = ${x} + ${x} * (${y}s * ${polynomial(`${y}s`, p)});
  if (${y}m >= 1.25) { ${y} = 1.0 - 2.0 / (${y}e + 1.0); }
  if (${y}m >= 1.25 && ${x} < 0) { ${y} = 2.0 / (${y}e + 1.0) - 1.0; }`;
}

/**
 * sin and cos (`y`s and `y`c) of x: x = q·π/2 + r with π/2 in three pieces, exact as long as |q| < 2¹⁶; then the quarter q
 * mod 4 tells which polynomial of r, and its sign.
 */
export function sinCos(y: string, x: string): string {
  const s = [2.7173040413833404e-6, -0.00019839238399895544, 0.008333329133640158, -0.16666666640209535];
  const c = [
    -2.722798200450471e-7, 0.000024799799334694535, -0.0013888885142121883, 0.04166666664438147, -0.5, 1.0,
  ];
  return `
  const ${y}q = Math.floor(${x} * 0.6366197723675814 + 0.5);
  const ${y}r = ${x} - ${y}q * 1.5703125 - ${y}q * 0.00048351287841796875 - ${y}q * 3.1391647326017846e-7;
  const ${y}z = ${y}r * ${y}r;
  const ${y}a = ${y}r + ${y}r * ${y}z * ${polynomial(`${y}z`, s)};
  const ${y}b = ${polynomial(`${y}z`, c)};
  const ${y}k = ${y}q - 4.0 * Math.floor(${y}q * 0.25);
  let ${y}s = ${y}a;
  let ${y}c = ${y}b;
  if (${y}k > 0.5 && ${y}k < 1.5) { ${y}s = ${y}b; ${y}c = 0.0 - ${y}a; }
  if (${y}k > 1.5 && ${y}k < 2.5) { ${y}s = 0.0 - ${y}a; ${y}c = 0.0 - ${y}b; }
  if (${y}k > 2.5) { ${y}s = 0.0 - ${y}b; ${y}c = ${y}a; }`;
}

/** e^(−x²/2). */
export function bell(y: string, x: string): string {
  return `
  const ${y}w = 0.0 - 0.5 * ${x} * ${x};${exp(y, `${y}w`)}`;
}

/** Φ(−|x|) given bell = e^(−x²/2): Φ(−|x|)·e^(x²/2) = u·P(t) with u = 1/(|x| + 2.5), t = 1 − 5u. */
function normalTail(y: string, x: string, bellOfX: string): string {
  const p = [
    -2.4813273079600898e-5, -0.00019241512794581988, -0.000288923027594307, 0.0007257300501197345,
    0.0025180725926631565, -0.0016174744633277703, -0.016385863787044288, 0.009238390952132103,
    0.13198699032738423, -0.43369211516780154, 0.7066566599184221,
  ];
  return `
  const ${y}u = 1.0 / (Math.abs(${x}) + 2.5);
  const ${y}t = 1.0 - 5.0 * ${y}u;
  const ${y} = (${bellOfX} * ${y}u) * ${polynomial(`${y}t`, p)};`;
}

/** Φ(x), and the bell e^(−x²/2) as `y`b. */
export function normalCdf(y: string, x: string): string {
  return `${bell(`${y}b`, x)}${normalTail(`${y}l`, x, `${y}b`)}
  let ${y} = ${y}l;
  if (${x} >= 0) { ${y} = 1.0 - ${y}l; }`;
}

/** x + x·P(x²) to 1, beyond that 1 − 2Φ(−|x|√2) with the sign of x. */
export function erf(y: string, x: string): string {
  const p = [
    7.853857660603906e-5, -0.0008010192506602593, 0.005188327558356837, -0.026853811868217257,
    0.11283585147009242, -0.37612625824091395, 0.12837916612625122,
  ];
  return `
  const ${y}s = ${x} * ${x};
  const ${y}m = 0.0 - ${y}s;
  const ${y}g = ${x} * 1.4142135623730951;${exp(`${y}e`, `${y}m`)}${normalTail(`${y}l`, `${y}g`, `${y}e`)}
  let ${y} = ${x} + ${x} * ${polynomial(`${y}s`, p)};
  if (${x} >= 1.0) { ${y} = 1.0 - 2.0 * ${y}l; }
  if (${x} <= -1.0) { ${y} = 2.0 * ${y}l - 1.0; }`;
}
