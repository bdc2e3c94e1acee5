/** The optimiser's step of each weight. */
import { rest } from './thread';
import { copyRest, madd } from './vector';

/** One step of AdamW; rate = lr / (1 − β₁ᵗ), root2 = √(1 − β₂ᵗ), keep = 1 − lr·weightDecay. */
export function adamw(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  beta1: f64, beta2: f64, keep: f64, rate: f64, root2: f64, eps: f64,
): void {
  const whole = n & ~3, left = n - whole, done = <usize>whole << 2;
  adamwOf4s(whole, p, g, m, v, beta1, beta2, keep, rate, root2, eps);
  if (left == 0) return;
  copyRest(left, p + done, rest);
  copyRest(left, g + done, rest + 16);
  copyRest(left, m + done, rest + 32);
  copyRest(left, v + done, rest + 48);
  adamwOf4s(4, rest, rest + 16, rest + 32, rest + 48, beta1, beta2, keep, rate, root2, eps);
  copyRest(left, rest, p + done);
  copyRest(left, rest + 32, m + done);
  copyRest(left, rest + 48, v + done);
}

function adamwOf4s(
  n: i32, p: usize, g: usize, m: usize, v: usize,
  beta1: f64, beta2: f64, keep: f64, rate: f64, root2: f64, eps: f64,
): void {
  const b1 = f32x4.splat(<f32>beta1), c1 = f32x4.splat(<f32>(1.0 - beta1));
  const b2 = f32x4.splat(<f32>beta2), c2 = f32x4.splat(<f32>(1.0 - beta2));
  const k = f32x4.splat(<f32>keep), r = f32x4.splat(<f32>rate), e = f32x4.splat(<f32>eps);
  const q = f32x4.splat(<f32>(1.0 / root2));
  for (const end = p + (<usize>n << 2); p < end; p += 16, g += 16, m += 16, v += 16) {
    const grad = v128.load(g);
    const m1 = madd(b1, v128.load(m), f32x4.mul(c1, grad));
    const v1 = madd(b2, v128.load(v), f32x4.mul(c2, f32x4.mul(grad, grad)));
    v128.store(m, m1);
    v128.store(v, v1);
    const update = f32x4.div(f32x4.mul(r, m1), madd(f32x4.sqrt(v1), q, e));
    v128.store(p, f32x4.sub(f32x4.mul(v128.load(p), k), update));
  }
}
