/** The gate of the feed-forward network, two vectors a step like the other functions of each element. */
import { silu4, siluExp4, siluSlope4 } from './exponential';
import { rest } from './thread';
import { copyRest, STEP, WIDE } from './vector';

/** silu(gate) ⊙ up. */
export function swiglu(n: i32, gate: usize, up: usize, y: usize): void {
  const whole = n & ~(STEP - 1), left = n - whole, done = <usize>whole << 2;
  swigluOf8s(whole, gate, up, y);
  if (left == 0) return;
  copyRest(left, gate + done, rest);
  copyRest(left, up + done, rest + WIDE);
  swigluOf8s(STEP, rest, rest + WIDE, rest);
  copyRest(left, rest, y + done);
}

function swigluOf8s(n: i32, gate: usize, up: usize, y: usize): void {
  for (const end = gate + (<usize>n << 2); gate < end; gate += WIDE, up += WIDE, y += WIDE) {
    const s0 = silu4(v128.load(gate)), s1 = silu4(v128.load(gate, 16));
    const y0 = f32x4.mul(s0, v128.load(up)), y1 = f32x4.mul(s1, v128.load(up, 16));
    v128.store(y, y0);
    v128.store(y, y1, 16);
  }
}

/** dgate = dy·up·silu′(gate), dup = dy·silu(gate). */
export function swigluBackward(n: i32, gate: usize, up: usize, dy: usize, dgate: usize, dup: usize): void {
  const whole = n & ~(STEP - 1), left = n - whole, done = <usize>whole << 2;
  swigluSlopeOf8s(whole, gate, up, dy, dgate, dup);
  if (left == 0) return;
  copyRest(left, gate + done, rest);
  copyRest(left, up + done, rest + WIDE);
  copyRest(left, dy + done, rest + 2 * WIDE);
  swigluSlopeOf8s(STEP, rest, rest + WIDE, rest + 2 * WIDE, rest, rest + WIDE);
  copyRest(left, rest, dgate + done);
  copyRest(left, rest + WIDE, dup + done);
}

function swigluSlopeOf8s(n: i32, gate: usize, up: usize, dy: usize, dgate: usize, dup: usize): void {
  for (const end = gate + (<usize>n << 2); gate < end; gate += WIDE, up += WIDE, dy += WIDE, dgate += WIDE, dup += WIDE) {
    const g0 = v128.load(gate), g1 = v128.load(gate, 16), d0 = v128.load(dy), d1 = v128.load(dy, 16);
    const half = f32x4.splat(0.5);
    const h0 = siluExp4(g0), h1 = siluExp4(g1);
    const s0 = f32x4.div(half, f32x4.add(half, h0)), s1 = f32x4.div(half, f32x4.add(half, h1));
    const up0 = f32x4.mul(d0, f32x4.mul(g0, s0)), up1 = f32x4.mul(d1, f32x4.mul(g1, s1));
    const gate0 = f32x4.mul(f32x4.mul(d0, v128.load(up)), siluSlope4(g0, h0, s0));
    const gate1 = f32x4.mul(f32x4.mul(d1, v128.load(up, 16)), siluSlope4(g1, h1, s1));
    v128.store(dup, up0);
    v128.store(dup, up1, 16);
    v128.store(dgate, gate0);
    v128.store(dgate, gate1, 16);
  }
}
