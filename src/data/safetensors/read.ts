/** Reading a safetensors file: the header at once, each tensor's bytes when asked for. */

import { reasonOf } from '../reason.ts';
import type { SafetensorsDType, StoredArray, WidenedArray } from './dtype.ts';
import { checkBools, storedFromBytes, widen } from './dtype.ts';
import { SafetensorsError } from './error.ts';
import type { Header, TensorInfo } from './header.ts';
import { LENGTH_BYTES, MAX_HEADER_BYTES, parseHeader } from './header.ts';
import type { ByteSource } from './source.ts';

export interface LoadedTensor<A extends StoredArray | WidenedArray> {
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  readonly data: A;
}

export class SafetensorsFile {
  readonly label: string;
  /** Bytes of the whole file. */
  readonly size: number;
  /** What the file holds, in the order of its bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly #source: ByteSource;
  readonly #dataBegin: number;

  constructor(source: ByteSource, header: Header, dataBegin: number) {
    this.label = source.label;
    this.size = source.size;
    this.tensors = header.tensors;
    this.metadata = header.metadata;
    this.#source = source;
    this.#dataBegin = dataBegin;
  }

  /** One tensor in the form tensors compute in (see WidenedArray); reads only its bytes. */
  async read(name: string): Promise<LoadedTensor<WidenedArray>> {
    const { dtype, shape, data } = await this.readStored(name);
    return { dtype, shape, data: widen(dtype, data, this.label, name) };
  }

  /** One tensor as it is stored: bf16 and f16 as bit patterns, I64 as BigInt64Array; reads only its bytes. */
  async readStored(name: string): Promise<LoadedTensor<StoredArray>> {
    const info = this.tensors.get(name);
    if (info === undefined) {
      throw new SafetensorsError(this.label, `is not among the ${this.tensors.size} tensors of the file`, {
        tensor: name,
      });
    }
    const { dtype, shape, begin, end } = info;
    const bytes = await readExactly(this.#source, this.#dataBegin + begin, end - begin, name);
    const data = storedFromBytes(dtype, bytes);
    if (dtype === 'BOOL') checkBools(bytes, this.label, name);
    return { dtype, shape, data };
  }

  async close(): Promise<void> {
    await this.#source.close?.();
  }
}

/**
 * Opens a safetensors file and checks its header. The source belongs to the file from here on: it is closed with the file,
 * and at once when the header is not good.
 *
 * @throws SafetensorsError naming the file, the tensor and the numbers.
 */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  try {
    return await readHeader(source);
  } catch (error) {
    await source.close?.();
    throw error;
  }
}

async function readHeader(source: ByteSource): Promise<SafetensorsFile> {
  const { label, size } = source;
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw new SafetensorsError(label, 'safetensors files are little-endian and this machine is not');
  }
  if (size < LENGTH_BYTES) {
    throw new SafetensorsError(
      label,
      `has ${size} bytes, too few for the ${LENGTH_BYTES} of a header length`,
    );
  }
  const lengthBytes = await readExactly(source, 0, LENGTH_BYTES);
  const length = new DataView(lengthBytes.buffer, lengthBytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const reason = `the header length is ${length} bytes, more than the ${MAX_HEADER_BYTES} allowed; is this a safetensors file?`;
    throw new SafetensorsError(label, reason);
  }
  const dataBegin = LENGTH_BYTES + Number(length);
  if (dataBegin > size) {
    const reason = `the header should end at byte ${dataBegin}, but the file has ${size} bytes; is it cut off?`;
    throw new SafetensorsError(label, reason);
  }
  const json = await readExactly(source, LENGTH_BYTES, Number(length));
  return new SafetensorsFile(source, parseHeader(json, size - dataBegin, label), dataBegin);
}

/** `source.read` for whatever a source may do: fail in its own way, or give too little. */
export async function readExactly(
  source: ByteSource,
  offset: number,
  length: number,
  tensor?: string,
): Promise<Uint8Array> {
  const about = tensor === undefined ? {} : { tensor };
  let bytes: Uint8Array;
  try {
    bytes = await source.read(offset, length);
  } catch (cause) {
    const reason = `reading ${length} bytes at ${offset} failed: ${reasonOf(cause)}`;
    throw new SafetensorsError(source.label, reason, { ...about, cause });
  }
  if (bytes.length !== length) {
    const reason = `reading ${length} bytes at ${offset} gave ${bytes.length}`;
    throw new SafetensorsError(source.label, reason, about);
  }
  return bytes;
}
