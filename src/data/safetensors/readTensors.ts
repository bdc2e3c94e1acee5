/** The tensors of safetensors files as the library's own (Node only): what a state dict is loaded from. */
import { stat } from 'node:fs/promises';
import type { DType } from '../../kernels/index.ts';
import { getBackend, Tensor } from '../../tensor/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { SafetensorsDType } from './dtype.ts';
import { SafetensorsError } from './error.ts';
import { fileSource, openCheckpointFolder } from './node.ts';
import { openSafetensors, type SafetensorsFile } from './read.ts';

/** Which tensors to read, and as what. */
export interface ReadTensorsOptions {
  /** Which tensors are read. Default: all. */
  readonly names?: (name: string) => boolean;
  /** What floating-point tensors become, as with PyTorch's `module.to(dtype)`; integers and bools stay what they are. */
  readonly dtype?: 'float32' | 'float64';
}

/** The dtype that holds every number of a stored one; of I64 those that an int32 holds. */
const HELD_IN: { readonly [D in SafetensorsDType]: DType } = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float32',
  BF16: 'float32',
  I64: 'int32',
  I32: 'int32',
  I16: 'int32',
  I8: 'int32',
  U8: 'int32',
  BOOL: 'bool',
};

/**
 * Reads a safetensors file, or a folder with `model.safetensors` or shards and their index, onto the backend in use: every
 * tensor by its name, in the order of the bytes. Takes PyTorch's shapes and names as they are:
 * `model.loadStateDict(await readTensors('model.safetensors'))`.
 *
 * F32, F16 and BF16 become float32, F64 float64, I64 to I8 and U8 int32, BOOL bool; nothing is rounded unless `dtype` asks.
 * @throws SafetensorsError naming file and tensor: a damaged file, an I64 number beyond int32, F64 where the backend has no
 *   float64
 */
export async function readTensors(
  path: string,
  options: ReadTensorsOptions = {},
): Promise<Map<string, Tensor>> {
  const { names = () => true, dtype } = options;
  const source = await open(path);
  const found = new Map<string, Tensor>();
  try {
    for (const [name, info] of source.tensors) {
      if (!names(name)) continue;
      const held = heldIn(info.dtype, dtype, { path, tensor: name });
      const { data, shape } = await source.read(name);
      found.set(name, Tensor.fromArray(data, shape, { dtype: held }));
    }
    return found;
  } catch (error) {
    for (const tensor of found.values()) tensor.dispose();
    throw error;
  } finally {
    await source.close();
  }
}

async function open(path: string): Promise<SafetensorsFile | Checkpoint> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false, // opening it as a file says why
  );
  return isFolder ? openCheckpointFolder(path) : openSafetensors(await fileSource(path));
}

function heldIn(
  stored: SafetensorsDType,
  asked: 'float32' | 'float64' | undefined,
  { path, tensor }: { readonly path: string; readonly tensor: string },
): DType {
  const own = HELD_IN[stored];
  const dtype = own === 'float32' || own === 'float64' ? (asked ?? own) : own;
  const { name, dtypes } = getBackend();
  if (dtypes.includes(dtype)) return dtype;
  const hint = dtype === 'float64' ? "; dtype: 'float32' rounds it" : '';
  const reason = `${stored} would become ${dtype}, the ${name} backend computes in ${dtypes.join(', ')}${hint}`;
  throw new SafetensorsError(path, reason, { tensor });
}
