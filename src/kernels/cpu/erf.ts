/**
 * The error function and its complement to double precision.
 *
 * W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23 (1969), 631-637:
 *   |x| ≤ 15/32        erf x  ≈ x · R(x²)
 *   15/32 < x ≤ 4      erfc x ≈ e^(−x²) · R(x)
 *   4 < x              erfc x ≈ e^(−x²)/x · (1/√π + R(1/x²)/x²)
 * with coefficients of 18 digits, here as the nearest doubles. Each R is a quotient of polynomials, given highest power
 * first.
 */
const CENTRE = [
  [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
];
const FLANK = [
  [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
];
const TAIL = [
  [
    -0.016315387137302097, -0.30532663496123236, -0.36034489994980445, -0.12578172611122926,
    -0.016083785148742275, -0.0006587491615298378,
  ],
  [1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918],
];

const ONE_OVER_SQRT_PI = 1 / Math.sqrt(Math.PI);

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) sum = sum * x + coefficients[i];
  return sum;
}

function quotient([above, below]: readonly (readonly number[])[], x: number): number {
  return polynomial(above, x) / polynomial(below, x);
}

/** erfc for x > 15/32. */
function erfcRight(x: number): number {
  if (x > 27) return 0; // below the smallest double
  // e^(−x²) with s ≈ x of few bits, so that s² is exact: x² = s² + (x − s)(x + s).
  const s = Math.trunc(x * 16) / 16;
  const gauss = Math.exp(-s * s) * Math.exp(-(x - s) * (x + s));
  if (x <= 4) return gauss * quotient(FLANK, x);
  const z = 1 / (x * x);
  return (gauss / x) * (ONE_OVER_SQRT_PI + z * quotient(TAIL, z));
}

/** erf x = 2/√π ∫₀ˣ e^(−t²) dt. */
export function erf(x: number): number {
  if (Math.abs(x) <= 0.46875) return x * quotient(CENTRE, x * x);
  return x > 0 ? 1 - erfcRight(x) : erfcRight(-x) - 1;
}

/** erfc x = 1 − erf x, without cancellation for large x. */
export function erfc(x: number): number {
  if (Math.abs(x) <= 0.46875) return 1 - x * quotient(CENTRE, x * x);
  return x > 0 ? erfcRight(x) : 2 - erfcRight(-x);
}
