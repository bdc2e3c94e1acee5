/**
 * Which backend computes a golden folder. What is looked at by itself (ops, modules, training steps, pictures) is computed by
 * the backend as it is. A whole model is a chain of some two hundred results, in which float32 rounding hides what is to be
 * seen (docs/numerics.md): a backend that rounds between kernels is looked at through its twin. The cpu backend has none: it
 * holds float32 in double precision, unless it is asked to be strict, and then its rounding is what one wants to see.
 */
import type { Backend, BackendName } from '../kernels/index.ts';
import type { FloatDType } from './samples.ts';
import { twinOf } from './twin/twin.ts';
import type { FolderKind } from './verify.ts';

export interface Computing {
  /** As reports name it: "wasm", "wasm twin". */
  readonly name: string;
  /** What computes, for a backend that answers at once where it is a twin. */
  readonly on: (backend: Backend) => Backend;
}

export const asItIs = (name: BackendName): Computing => ({ name, on: (backend) => backend });

export function computing(kind: FolderKind, dtype: FloatDType, name: BackendName): Computing {
  if (kind !== 'model' || dtype === 'float64' || name === 'cpu') return asItIs(name);
  return { name: `${name} twin`, on: twinOf };
}
