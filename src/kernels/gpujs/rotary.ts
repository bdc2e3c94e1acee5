/** Rotary position embedding (Su et al., arXiv 2104.09864), half-split: the pair of channel j is j + K/2. */
import type { Backend } from '../backend.ts';
import { type Engine, requireCountable } from './engine.ts';
import { program, split } from './program.ts';

/** x [B, H, T, K], cos and sin [B, T, K/2]; `sign` is −1 for the other way. */
const ROTARY = program('rotary', {
  arrays: ['x', 'cos', 'sin'],
  integers: ['width', 'half', 'steps', 'heads'],
  floats: ['sign'],
  body: `${split('row', 'j', 'this.thread.x', 'width')}${split('bh', 't', 'row', 'steps')}
  const b = Math.floor((bh + 0.5) / heads);
  let channel = j;
  let direction = 0.0 - sign;
  if (j >= half) {
    channel = j - half;
    direction = sign;
  }
  const c = cos[(~~b * steps + ~~t) * half + ~~channel + cosAt];
  const s = sin[(~~b * steps + ~~t) * half + ~~channel + sinAt];
  const x0 = x[~~row * width + ~~channel + xAt];
  const x1 = x[~~row * width + half + ~~channel + xAt];
  let y = x0 * c + direction * (x1 * s);
  if (j >= half) { y = x1 * c + direction * (x0 * s); }
  return y;`,
});

export function rotaryKernels({ compute, dense }: Engine): Pick<Backend, 'rotary'> {
  return {
    rotary(x, cos, sin, inverse) {
      const [B, H, T, K] = x.shape;
      requireCountable('rotary', B * H * T, [K, T]);
      const numbers = { integers: [K, K / 2, T, H], floats: [inverse ? -1 : 1] };
      return compute(ROTARY, [x, cos, sin].map(dense), numbers, x.shape);
    },
  };
}
