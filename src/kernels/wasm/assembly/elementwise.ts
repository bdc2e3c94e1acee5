/**
 * Functions of each element.
 *
 * Loops run over whole vectors only: a branch for the rest in the loop body slows it down, and a second copy of the body
 * behind it doubles the code. The rest of an array is copied to eight floats of its own and goes through the same loop.
 */
import { Binary, Unary } from './codes';
import { cos4, log4, pow4, sin4, tanh4 } from './double';
import { erf4, exp4, gelu4, geluSlope4, sigmoid4, silu4, siluExp4, siluSlope4 } from './exponential';
import { rest } from './thread';
import { copyRest, loadRest, STEP, storeRest, WIDE } from './vector';

@inline
function unary4(f: i32, x: v128): v128 {
  if (f == Unary.neg) return f32x4.neg(x);
  if (f == Unary.exp) return exp4(x);
  if (f == Unary.sqrt) return f32x4.sqrt(x);
  if (f == Unary.abs) return f32x4.abs(x);
  if (f == Unary.erf) return erf4(x);
  if (f == Unary.sigmoid) return sigmoid4(x);
  // The sum makes +0 of −0.
  if (f == Unary.relu) return f32x4.add(f32x4.pmax(x, f32x4.splat(0.0)), f32x4.splat(0.0));
  if (f == Unary.silu) return silu4(x);
  if (f == Unary.gelu) return gelu4(x);
  if (f == Unary.tanh) return tanh4(x);
  if (f == Unary.log) return log4(x);
  if (f == Unary.sin) return sin4(x);
  return cos4(x);
}

@inline
function mapUnary(f: i32, n: i32, x: usize, y: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += WIDE, y += WIDE) {
    const y0 = unary4(f, v128.load(x)), y1 = unary4(f, v128.load(x, 16));
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
}

// One function each, called from two places: a compiler that joined them all to one would run out of registers in it.
function negOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.neg, n, x, y);
}
function expOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.exp, n, x, y);
}
function sqrtOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.sqrt, n, x, y);
}
function absOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.abs, n, x, y);
}
function erfOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.erf, n, x, y);
}
function sigmoidOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.sigmoid, n, x, y);
}
function reluOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.relu, n, x, y);
}
function siluOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.silu, n, x, y);
}
function geluOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.gelu, n, x, y);
}
function tanhOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.tanh, n, x, y);
}
function logOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.log, n, x, y);
}
function sinOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.sin, n, x, y);
}
function cosOf8s(n: i32, x: usize, y: usize): void {
  mapUnary(Unary.cos, n, x, y);
}

@inline
function unaryOf8s(f: i32, n: i32, x: usize, y: usize): void {
  switch (f) {
    case Unary.neg: negOf8s(n, x, y); break;
    case Unary.exp: expOf8s(n, x, y); break;
    case Unary.sqrt: sqrtOf8s(n, x, y); break;
    case Unary.abs: absOf8s(n, x, y); break;
    case Unary.erf: erfOf8s(n, x, y); break;
    case Unary.sigmoid: sigmoidOf8s(n, x, y); break;
    case Unary.relu: reluOf8s(n, x, y); break;
    case Unary.silu: siluOf8s(n, x, y); break;
    case Unary.gelu: geluOf8s(n, x, y); break;
    case Unary.tanh: tanhOf8s(n, x, y); break;
    case Unary.log: logOf8s(n, x, y); break;
    case Unary.sin: sinOf8s(n, x, y); break;
    case Unary.cos: cosOf8s(n, x, y); break;
    default: unreachable();
  }
}

/** y = f(x). */
export function unary(f: i32, n: i32, x: usize, y: usize): void {
  const whole = n & ~(STEP - 1), done = <usize>whole << 2;
  unaryOf8s(f, whole, x, y);
  if (n == whole) return;
  copyRest(n - whole, x + done, rest);
  unaryOf8s(f, STEP, rest, rest);
  copyRest(n - whole, rest, y + done);
}

/** −1, 0 or 1; 0 for NaN. */
@inline
function sign4(x: v128): v128 {
  const one = f32x4.splat(1.0), none = f32x4.splat(0.0);
  const sign = v128.or(v128.and(x, f32x4.splat(-0.0)), one);
  return v128.and(sign, v128.or(f32x4.lt(x, none), f32x4.gt(x, none)));
}

@inline
function slope4(f: i32, x: v128, y: v128): v128 {
  const one = f32x4.splat(1.0);
  if (f == Unary.neg) return f32x4.splat(-1.0);
  if (f == Unary.exp) return y;
  if (f == Unary.sqrt) return f32x4.div(f32x4.splat(0.5), y);
  if (f == Unary.log) return f32x4.div(one, x);
  if (f == Unary.erf) return f32x4.mul(f32x4.splat(1.1283791670955126), exp4(f32x4.neg(f32x4.mul(x, x))));
  if (f == Unary.sigmoid) return f32x4.mul(y, f32x4.sub(one, y));
  if (f == Unary.silu) {
    const h = siluExp4(x), half = f32x4.splat(0.5);
    return siluSlope4(x, h, f32x4.div(half, f32x4.add(half, h)));
  }
  if (f == Unary.gelu) return geluSlope4(x);
  if (f == Unary.tanh) return f32x4.mul(f32x4.sub(one, y), f32x4.add(one, y));
  if (f == Unary.sin) return cos4(x);
  if (f == Unary.cos) return f32x4.neg(sin4(x));
  return sign4(x);
}

@inline
function mapSlope(f: i32, n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += WIDE, y += WIDE, dy += WIDE, dx += WIDE) {
    const s0 = slope4(f, v128.load(x), v128.load(y)), s1 = slope4(f, v128.load(x, 16), v128.load(y, 16));
    const dx0 = f32x4.mul(v128.load(dy), s0), dx1 = f32x4.mul(v128.load(dy, 16), s1);
    v128.store(dx, dx0);
    v128.store(dx, dx1, 16);
  }
}

/** Selects instead of multiplying, so that an infinite dy does not turn the zeros into NaN. */
function reluSlopeOf8s(n: i32, x: usize, _y: usize, dy: usize, dx: usize): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16, dy += 16, dx += 16) {
    v128.store(dx, v128.andnot(v128.load(dy), f32x4.le(v128.load(x), f32x4.splat(0.0))));
  }
}

function negSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.neg, n, x, y, dy, dx);
}
function expSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.exp, n, x, y, dy, dx);
}
function sqrtSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.sqrt, n, x, y, dy, dx);
}
function logSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.log, n, x, y, dy, dx);
}
function erfSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.erf, n, x, y, dy, dx);
}
function sigmoidSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.sigmoid, n, x, y, dy, dx);
}
function siluSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.silu, n, x, y, dy, dx);
}
function geluSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.gelu, n, x, y, dy, dx);
}
function tanhSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.tanh, n, x, y, dy, dx);
}
function sinSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.sin, n, x, y, dy, dx);
}
function cosSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.cos, n, x, y, dy, dx);
}
function absSlopeOf8s(n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  mapSlope(Unary.abs, n, x, y, dy, dx);
}

@inline
function slopeOf8s(f: i32, n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  switch (f) {
    case Unary.neg: negSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.exp: expSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.sqrt: sqrtSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.log: logSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.erf: erfSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.sigmoid: sigmoidSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.relu: reluSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.silu: siluSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.gelu: geluSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.tanh: tanhSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.sin: sinSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.cos: cosSlopeOf8s(n, x, y, dy, dx); break;
    case Unary.abs: absSlopeOf8s(n, x, y, dy, dx); break;
    default: unreachable();
  }
}

/** dx = f′(x)·dy, where y = f(x). */
export function unaryBackward(f: i32, n: i32, x: usize, y: usize, dy: usize, dx: usize): void {
  const whole = n & ~(STEP - 1), left = n - whole, done = <usize>whole << 2;
  slopeOf8s(f, whole, x, y, dy, dx);
  if (left == 0) return;
  copyRest(left, x + done, rest);
  copyRest(left, y + done, rest + WIDE);
  copyRest(left, dy + done, rest + 2 * WIDE);
  slopeOf8s(f, STEP, rest, rest + WIDE, rest + 2 * WIDE, rest);
  copyRest(left, rest, dx + done);
}

@inline
function binary4(f: i32, a: v128, b: v128): v128 {
  if (f == Binary.add) return f32x4.add(a, b);
  if (f == Binary.sub) return f32x4.sub(a, b);
  if (f == Binary.mul) return f32x4.mul(a, b);
  if (f == Binary.div) return f32x4.div(a, b);
  if (f == Binary.maximum) return f32x4.max(a, b);
  return pow4(a, b);
}

/** Two dense rows, or a row and one number (a step of 0). */
@inline
function mapBinary(f: i32, n: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize): void {
  if (aStep == 0) {
    const x = v128.load_splat<f32>(a);
    for (; n >= 4; n -= 4, b += 16, out += 16) v128.store(out, binary4(f, x, v128.load(b)));
    if (n > 0) storeRest(out, binary4(f, x, loadRest(b, n, 1.0)), n);
  } else if (bStep == 0) {
    const y = v128.load_splat<f32>(b);
    for (; n >= 4; n -= 4, a += 16, out += 16) v128.store(out, binary4(f, v128.load(a), y));
    if (n > 0) storeRest(out, binary4(f, loadRest(a, n, 1.0), y), n);
  } else {
    for (; n >= 4; n -= 4, a += 16, b += 16, out += 16) {
      v128.store(out, binary4(f, v128.load(a), v128.load(b)));
    }
    if (n > 0) storeRest(out, binary4(f, loadRest(a, n, 1.0), loadRest(b, n, 1.0)), n);
  }
}

function binaryRow(f: i32, n: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize): void {
  switch (f) {
    case Binary.add: return mapBinary(Binary.add, n, a, aStep, b, bStep, out);
    case Binary.sub: return mapBinary(Binary.sub, n, a, aStep, b, bStep, out);
    case Binary.mul: return mapBinary(Binary.mul, n, a, aStep, b, bStep, out);
    case Binary.div: return mapBinary(Binary.div, n, a, aStep, b, bStep, out);
    case Binary.maximum: return mapBinary(Binary.maximum, n, a, aStep, b, bStep, out);
    case Binary.pow: return mapBinary(Binary.pow, n, a, aStep, b, bStep, out);
    default: unreachable();
  }
}

/** out = f(a, b), strided a and b of shape [n0, n1, n2, n3]; the last strides are 4 or 0, not both 0; out is dense. */
export function binary(
  f: i32, n0: i32, n1: i32, n2: i32, n3: i32,
  a: usize, a0: usize, a1: usize, a2: usize, a3: usize,
  b: usize, b0: usize, b1: usize, b2: usize, b3: usize,
  out: usize,
): void {
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let x = a + <usize>i * a0 + <usize>j * a1;
      let y = b + <usize>i * b0 + <usize>j * b1;
      for (let k = 0; k < n2; k++) {
        binaryRow(f, n3, x, a3, y, b3, out);
        x += a2;
        y += b2;
        out += <usize>n3 << 2;
      }
    }
  }
}
