/** Wrong gradients: what a mutated record hands to the tape in place of its own. */
import type { View } from '../../src/kernels/backend.ts';
import { expandView } from '../../src/kernels/views.ts';
import { getBackend } from '../../src/tensor/context.ts';

/** The gradient `factor` times; zeros for 0, also where it is infinite or NaN. */
export function scaled(gradient: () => View, factor: number): () => View {
  return () => {
    const g = gradient();
    const k = getBackend();
    const all = (value: number) => expandView(k.fill([], value, g.buffer.dtype), g.shape);
    return factor === 0 ? all(0) : k.binary('mul', g, all(factor));
  };
}
