/** Gradient clipping by global norm, as torch.nn.utils.clip_grad_norm_. */
import type { Tensor } from '../../tensor/tensor.ts';

/**
 * Scales all gradients by one factor so that their joint L2 norm is at most `maxNorm`.
 * @returns the norm before clipping
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): number {
  const gradients = [...parameters].flatMap(({ grad }) => (grad === null ? [] : [grad]));
  const norm = Math.sqrt(gradients.reduce((total, g) => total + g.mul(g).sum().item(), 0));
  const factor = maxNorm / (norm + 1e-6);
  if (factor < 1) for (const g of gradients) g.assign(g.mul(factor));
  return norm;
}
