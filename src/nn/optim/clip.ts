/** Gradient clipping by global norm, as torch.nn.utils.clip_grad_norm_. */
import type { Tensor } from '../../tensor/index.ts';

/**
 * Scales all gradients by one factor so that their joint L2 norm is at most `maxNorm`. Where the norm is NaN all of them become
 * NaN; where it is infinite they become 0, and the infinite numbers NaN.
 * @returns the norm before clipping
 */
export async function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): Promise<number> {
  const gradients = [...parameters].flatMap(({ grad }) => (grad === null ? [] : [grad]));
  const squares = await Promise.all(gradients.map((g) => g.mul(g).sum().read()));
  const norm = Math.sqrt(squares.reduce((total, [square]) => total + square, 0));
  const factor = maxNorm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (const g of gradients) g.assign(g.mul(factor)); // a factor of NaN, too
  return norm;
}
