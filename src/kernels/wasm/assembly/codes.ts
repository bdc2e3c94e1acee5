/**
 * Numbers by which functions, comparisons and conversions are called for. The build hands them to TypeScript by these names
 * (build.mjs), which are those of backend.ts.
 */

export const enum Unary {
  neg, exp, sqrt, abs, erf, sigmoid, relu, silu, gelu, tanh, log, sin, cos,
}

export const enum Binary {
  add, sub, mul, div, maximum, pow,
}

/** Of float32, then of int32. */
export const enum Compare {
  eq, ne, lt, le, gt, ge,
  eqInt32, neInt32, ltInt32, leInt32, gtInt32, geInt32,
}

export const enum Cast {
  int32ToFloat32, float32ToBool, int32ToBool, boolToFloat32, boolToInt32,
}
