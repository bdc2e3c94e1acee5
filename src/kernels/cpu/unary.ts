/** The functions of one variable and their derivatives, in double precision. */
import type { UnaryName } from '../backend.ts';
import { erf, erfc } from './erf.ts';

export interface UnaryFunction {
  f(x: number): number;
  /** f′(x), given x and y = f(x). */
  derivative(x: number, y: number): number;
}

/** −1, 0 or 1; 0 for NaN, as PyTorch's sgn. */
function sign(x: number): number {
  return Number(x > 0) - Number(x < 0);
}

/** σ(x) = 1/(1 + e^(−x)), written so that the exponential never overflows. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** x·σ(x) */
export function silu(x: number): number {
  return x * sigmoid(x);
}

/** (xσ)′ = σ + xσ(1 − σ), with 1 − σ(x) = σ(−x). */
export function siluDerivative(x: number): number {
  return sigmoid(x) * (1 + x * sigmoid(-x));
}

/** Φ(x) = (1 + erf(x/√2))/2, the normal distribution function; as erfc it keeps its digits for negative x. */
function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}

/** φ(x) = Φ′(x) */
function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

export const UNARY: { readonly [Name in UnaryName]: UnaryFunction } = {
  neg: { f: (x) => -x, derivative: () => -1 },
  exp: { f: Math.exp, derivative: (_x, y) => y },
  log: { f: Math.log, derivative: (x) => 1 / x },
  sqrt: { f: Math.sqrt, derivative: (_x, y) => 0.5 / y },
  abs: { f: Math.abs, derivative: sign },
  sin: { f: Math.sin, derivative: Math.cos },
  cos: { f: Math.cos, derivative: (x) => -Math.sin(x) },
  tanh: { f: Math.tanh, derivative: (_x, y) => 1 - y * y },
  erf: { f: erf, derivative: (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) },
  sigmoid: { f: sigmoid, derivative: (_x, y) => y * (1 - y) },
  relu: { f: (x) => Math.max(x, 0), derivative: (x) => (x <= 0 ? 0 : 1) },
  silu: { f: silu, derivative: siluDerivative },
  gelu: { f: (x) => x * normalCdf(x), derivative: (x) => normalCdf(x) + x * normalDensity(x) },
};
