/**
 * Writing safetensors files. The same entries in the same order give the same bytes.
 *
 * As in the reference implementation wider dtypes go first, so that every tensor lies at a multiple of its element size;
 * among equals the order given stays. So what is read from a written file, in its order, is written to the same bytes.
 */

import type { SafetensorsDType, StoredArray, WidenedArray } from './dtype.ts';
import {
  byteSizeOf,
  elementCount,
  isSafetensorsDType,
  isShape,
  SAFETENSORS_DTYPES,
  toStored,
} from './dtype.ts';
import { SafetensorsError } from './error.ts';
import type { TensorInfo } from './header.ts';
import { formatHeader, METADATA_KEY } from './header.ts';
import { isWellFormed } from './json.ts';

export interface TensorSpec {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
}

/**
 * A tensor to write. `data` has the product of `shape` elements and is the stored array of the dtype (bit patterns for F16
 * and BF16), or a Float32Array to be rounded to F16 or BF16 (nearest, ties to even), or an Int32Array for I64, I16 or I8.
 */
export interface TensorEntry extends TensorSpec {
  readonly data: StoredArray | WidenedArray;
}

export type Metadata = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

export interface Layout<E extends TensorSpec> {
  /** Length and header. */
  readonly header: Uint8Array;
  /** The entries in the order of their bytes, which follow the header without gaps. */
  readonly entries: readonly E[];
  /** Bytes of all tensors. */
  readonly dataBytes: number;
}

/** Bytes of a tensor; throws where dtype or shape is none. */
export function tensorBytes({ name, dtype, shape }: TensorSpec, file: string): number {
  if (!isSafetensorsDType(dtype)) {
    const reason = `unknown dtype ${String(dtype)}; known: ${SAFETENSORS_DTYPES.join(', ')}`;
    throw new SafetensorsError(file, reason, { tensor: name });
  }
  const count = isShape(shape) ? elementCount(shape) : undefined;
  const bytes = count === undefined ? Number.NaN : count * byteSizeOf(dtype);
  if (Number.isSafeInteger(bytes)) return bytes;
  const reason = `shape [${shape}] is not a list of whole numbers from 0 on whose bytes can be counted`;
  throw new SafetensorsError(file, reason, { tensor: name });
}

/** Where each tensor goes, and the header that says so. Needs no data. */
export function layOut<E extends TensorSpec>(
  entries: readonly E[],
  metadata: Metadata,
  file: string,
): Layout<E> {
  const names = new Set<string>();
  for (const { name } of entries) {
    if (name === METADATA_KEY) throw new SafetensorsError(file, `a tensor cannot be named ${METADATA_KEY}`);
    if (names.has(name)) throw new SafetensorsError(file, 'is given twice', { tensor: name });
    checkText(name, 'a tensor name', file);
    names.add(name);
  }
  const texts = metadata instanceof Map ? new Map(metadata) : new Map(Object.entries(metadata));
  for (const [key, text] of texts) {
    checkText(key, 'a metadata key', file);
    checkText(text, `the metadata of ${JSON.stringify(key)}`, file);
  }
  const infos: TensorInfo[] = [];
  let begin = 0;
  const bytesOf = new Map(entries.map((entry) => [entry, tensorBytes(entry, file)]));
  const ordered = [...entries].sort((a, b) => byteSizeOf(b.dtype) - byteSizeOf(a.dtype));
  for (const entry of ordered) {
    const end = begin + (bytesOf.get(entry) ?? 0);
    infos.push({ name: entry.name, dtype: entry.dtype, shape: entry.shape, begin, end });
    begin = end;
  }
  return { header: formatHeader(infos, texts, file), entries: ordered, dataBytes: begin };
}

function checkText(text: unknown, what: string, file: string): void {
  if (typeof text !== 'string') throw new SafetensorsError(file, `${what} is not a text but ${String(text)}`);
  if (!isWellFormed(text)) {
    throw new SafetensorsError(
      file,
      `${what}, ${JSON.stringify(text)}, has half a surrogate pair and no UTF-8 form`,
    );
  }
}

/** The bytes of one tensor as they go into the file; may share memory with `entry.data`. */
export function encodeTensor(entry: TensorEntry, file: string): Uint8Array {
  const { name, dtype, shape, data } = entry;
  const bytes = tensorBytes(entry, file);
  if (data.length * byteSizeOf(dtype) !== bytes) {
    const reason = `shape [${shape}] has ${bytes / byteSizeOf(dtype)} elements, data has ${data.length}`;
    throw new SafetensorsError(file, reason, { tensor: name });
  }
  const stored = toStored(dtype, data, file, name);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

/**
 * A safetensors file in memory.
 * @throws SafetensorsError naming the tensor: a name twice, data that does not go with dtype or shape, a value out of range.
 */
export function writeSafetensors(entries: readonly TensorEntry[], metadata: Metadata = {}): Uint8Array {
  const file = 'writeSafetensors';
  const layout = layOut(entries, metadata, file);
  const bytes = new Uint8Array(layout.header.length + layout.dataBytes);
  bytes.set(layout.header);
  let at = layout.header.length;
  for (const entry of layout.entries) {
    const encoded = encodeTensor(entry, file);
    bytes.set(encoded, at);
    at += encoded.length;
  }
  return bytes;
}
