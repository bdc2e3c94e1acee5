/** Four float32 lanes: multiply-add, polynomials, sums of lanes, and rests of rows shorter than four. */

/** Elements a step of a loop takes: two vectors, which share the loads of coefficients and hide each other's latency. */
export const STEP: i32 = 8;
/** Bytes of a step; the rests of several operands stand that far apart. */
export const WIDE: usize = 32;

/** a·b + c: one rounding where the module is built with relaxed SIMD, two in the plain one. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * Entry i of a table of float32, in all lanes. Numbers used in a loop stand in tables: an engine has 16 registers for
 * them, and what does not fit it builds anew at each use from two integer constants, several times slower than a load.
 */
@inline
export function entry(table: usize, i: i32): v128 {
  return v128.load_splat<f32>(table + (<usize>i << 2));
}

/**
 * Polynomials whose coefficients stand in a table, highest power first, given x² too: pairs of terms do not wait for one
 * another, which Horner's rule makes them do.
 */
@inline
export function cubic(table: usize, x: v128, x2: v128): v128 {
  return madd(madd(entry(table, 0), x, entry(table, 1)), x2, madd(entry(table, 2), x, entry(table, 3)));
}

@inline
export function quartic(table: usize, x: v128, x2: v128): v128 {
  const upper = madd(entry(table, 0), x2, madd(entry(table, 1), x, entry(table, 2)));
  return madd(upper, x2, madd(entry(table, 3), x, entry(table, 4)));
}

@inline
export function quintic(table: usize, x: v128, x2: v128): v128 {
  return madd(cubic(table, x, x2), x2, madd(entry(table, 4), x, entry(table, 5)));
}

@inline
export function sextic(table: usize, x: v128, x2: v128): v128 {
  return madd(quartic(table, x, x2), x2, madd(entry(table, 5), x, entry(table, 6)));
}

/** The four lanes added up in float64. */
@inline
export function sumLanes(v: v128): f64 {
  return (
    <f64>f32x4.extract_lane(v, 0) +
    <f64>f32x4.extract_lane(v, 1) +
    (<f64>f32x4.extract_lane(v, 2) + <f64>f32x4.extract_lane(v, 3))
  );
}

@inline
export function maxLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** `count` (0 to 3) floats, one by one. */
export function copyRest(count: i32, from: usize, to: usize): void {
  for (; count > 0; count--, from += 4, to += 4) store<u32>(to, load<u32>(from));
}

/** The last `count` (1 to 3) elements of a row; the lanes behind them hold `rest`. */
export function loadRest(from: usize, count: i32, rest: f32): v128 {
  let v = f32x4.splat(rest);
  v = f32x4.replace_lane(v, 0, load<f32>(from));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(from, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(from, 8));
  return v;
}

export function storeRest(to: usize, v: v128, count: i32): void {
  store<f32>(to, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(to, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(to, f32x4.extract_lane(v, 2), 8);
}

/** Four elements, or what is left of them. */
@inline
export function loadUpTo4(from: usize, left: i32, rest: f32): v128 {
  return left >= 4 ? v128.load(from) : loadRest(from, left, rest);
}

@inline
export function storeUpTo4(to: usize, v: v128, left: i32): void {
  if (left >= 4) v128.store(to, v);
  else storeRest(to, v, left);
}
