/**
 * The dtypes of safetensors files and the typed arrays they are read to and written from.
 *
 * A tensor has two forms in memory: *stored*, the file's bytes as the typed array of the same width (bf16 and f16 as bit
 * patterns), and *widened*, one of the four kinds of array that tensors compute in.
 */
import { SafetensorsError } from './error.ts';
import { roundToBf16, roundToF16, widenBf16, widenF16 } from './halfFloat.ts';

export interface StoredArrays {
  F64: Float64Array;
  F32: Float32Array;
  /** Bit patterns. */
  F16: Uint16Array;
  /** Bit patterns. */
  BF16: Uint16Array;
  I64: BigInt64Array;
  I32: Int32Array;
  I16: Int16Array;
  I8: Int8Array;
  U8: Uint8Array;
  /** One byte each, 0 or 1. */
  BOOL: Uint8Array;
}
export type SafetensorsDType = keyof StoredArrays;
export type StoredArray = StoredArrays[SafetensorsDType];

/** F32, F16, BF16 → Float32Array; F64 → Float64Array; I64, I32, I16, I8 → Int32Array; U8, BOOL → Uint8Array. */
export type WidenedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

type ArrayClass<A> = {
  readonly BYTES_PER_ELEMENT: number;
  readonly name: string;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): A;
};

const STORED_ARRAY: { readonly [D in SafetensorsDType]: ArrayClass<StoredArrays[D]> } = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

export const SAFETENSORS_DTYPES = Object.keys(STORED_ARRAY) as readonly SafetensorsDType[];

export function isSafetensorsDType(value: unknown): value is SafetensorsDType {
  return typeof value === 'string' && Object.hasOwn(STORED_ARRAY, value);
}

/** Bytes of one element. */
export function byteSizeOf(dtype: SafetensorsDType): number {
  return STORED_ARRAY[dtype].BYTES_PER_ELEMENT;
}

/** Number of elements, or undefined where a product on the way is beyond what a number counts exactly. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const n of shape) {
    count *= n;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

export function isShape(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** The bytes of a tensor as its stored array; shares memory with `bytes` where their alignment allows. */
export function storedFromBytes<D extends SafetensorsDType>(dtype: D, bytes: Uint8Array): StoredArrays[D] {
  const Stored = STORED_ARRAY[dtype];
  const aligned = bytes.byteOffset % Stored.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
  return new Stored(aligned.buffer, aligned.byteOffset, aligned.byteLength / Stored.BYTES_PER_ELEMENT);
}

/**
 * int64 → int32.
 * @throws SafetensorsError naming file, tensor, index and value when one is outside −2³¹ … 2³¹ − 1.
 */
export function int32FromInt64(values: BigInt64Array, file: string, tensor: string): Int32Array {
  const narrow = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    narrow[i] = Number(values[i]);
    if (BigInt(narrow[i]) !== values[i]) {
      const reason = `I64 value ${values[i]} at element ${i} does not fit in int32 (−2147483648 … 2147483647)`;
      throw new SafetensorsError(file, reason, { tensor });
    }
  }
  return narrow;
}

/**
 * A stored array in the form tensors compute in; exact.
 * @throws SafetensorsError when an I64 value does not fit in int32.
 */
export function widen(
  dtype: SafetensorsDType,
  stored: StoredArray,
  file: string,
  tensor: string,
): WidenedArray {
  if (stored instanceof BigInt64Array) return int32FromInt64(stored, file, tensor);
  if (stored instanceof Uint16Array) return dtype === 'BF16' ? widenBf16(stored) : widenF16(stored);
  if (stored instanceof Int16Array || stored instanceof Int8Array) return Int32Array.from(stored);
  return stored;
}

/** Throws where a BOOL tensor has a byte that is neither 0 nor 1. */
export function checkBools(values: Uint8Array, file: string, tensor: string): void {
  const at = values.findIndex((byte) => byte > 1);
  if (at < 0) return;
  throw new SafetensorsError(file, `BOOL byte ${values[at]} at element ${at} is neither 0 nor 1`, { tensor });
}

function narrowInts(
  values: Int32Array,
  dtype: 'I16' | 'I8',
  file: string,
  tensor: string,
): Int16Array | Int8Array {
  const narrow = dtype === 'I16' ? Int16Array.from(values) : Int8Array.from(values);
  const at = values.findIndex((value, i) => narrow[i] !== value);
  if (at < 0) return narrow;
  throw new SafetensorsError(file, `value ${values[at]} at element ${at} does not fit in ${dtype}`, {
    tensor,
  });
}

/**
 * The stored form of an array: itself, or a Float32Array rounded to F16 or BF16, or an Int32Array as I64, I16 or I8.
 * @throws SafetensorsError when the kind of array does not go with the dtype, or a value does not fit.
 */
export function toStored(
  dtype: SafetensorsDType,
  data: StoredArray | WidenedArray,
  file: string,
  tensor: string,
): StoredArray {
  if (data instanceof Float32Array && dtype === 'F16') return roundToF16(data);
  if (data instanceof Float32Array && dtype === 'BF16') return roundToBf16(data);
  if (data instanceof Int32Array && dtype === 'I64') return BigInt64Array.from(data, BigInt);
  if (data instanceof Int32Array && (dtype === 'I16' || dtype === 'I8'))
    return narrowInts(data, dtype, file, tensor);
  if (!(data instanceof STORED_ARRAY[dtype])) {
    const reason = `data is a ${data.constructor.name}, but ${dtype} is written from ${acceptedFor(dtype)}`;
    throw new SafetensorsError(file, reason, { tensor });
  }
  if (dtype === 'BOOL' && data instanceof Uint8Array) checkBools(data, file, tensor);
  return data;
}

function acceptedFor(dtype: SafetensorsDType): string {
  if (dtype === 'F16' || dtype === 'BF16') return 'a Float32Array, or a Uint16Array of bit patterns';
  const own = `a ${STORED_ARRAY[dtype].name}`;
  return dtype === 'I64' || dtype === 'I16' || dtype === 'I8' ? `${own} or an Int32Array` : own;
}
