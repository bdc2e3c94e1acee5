/** Backends with a fault, to see whether what looks for faults finds them. */
import type { Backend, View } from '../../src/kernels/backend.ts';
import { denseView } from '../../src/kernels/views.ts';

/** Changes the row-major numbers of a kernel's result. */
export type Spoil = (numbers: Float32Array, shape: readonly number[]) => void;

function spoiled(backend: Backend, x: View, spoil: Spoil): View {
  const numbers = backend.readSync(x) as Float32Array;
  spoil(numbers, x.shape);
  backend.release(x.buffer);
  return denseView(backend.upload(numbers), x.shape);
}

function isView(result: unknown): result is View {
  return typeof result === 'object' && result !== null && 'buffer' in result;
}

/** The backend with float32 results of one kernel spoiled; of a kernel with several, the one that `field` names. */
export function withFault(backend: Backend, kernel: keyof Backend, spoil: Spoil, field = ''): Backend {
  const right = backend[kernel] as (...operands: unknown[]) => unknown;
  const wrong = (...operands: unknown[]): unknown => {
    const result = right(...operands);
    if (kernel === 'assign') {
      const [dst] = operands as View[];
      backend.assign(dst, spoiled(backend, backend.copy(dst), spoil));
      return;
    }
    if (isView(result)) return result.buffer.dtype === 'float32' ? spoiled(backend, result, spoil) : result;
    const results = result as Record<string, View>;
    return { ...results, [field]: spoiled(backend, results[field], spoil) };
  };
  return { ...backend, [kernel]: wrong };
}
