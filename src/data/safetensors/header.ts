/**
 * The header of a safetensors file (https://github.com/huggingface/safetensors, section "Format").
 *
 *   8 bytes      N, little-endian
 *   N bytes      JSON { name: { dtype, shape, data_offsets: [begin, end] }, "__metadata__"?: { key: text } }, spaces at the end
 *   the rest     the tensors' bytes; offsets count from here
 *
 * What is refused is what the reference implementation refuses, and a key that occurs twice besides: the tensors cover the
 * data without holes, without overlap and to the last byte, so that a file has nothing hidden in it.
 */

import type { SafetensorsDType } from './dtype.ts';
import { byteSizeOf, elementCount, isSafetensorsDType, isShape, SAFETENSORS_DTYPES } from './dtype.ts';
import { SafetensorsError } from './error.ts';
import { isRecord, isWellFormed, parseJsonObject, shown } from './json.ts';

/** Bytes of the length before the header. */
export const LENGTH_BYTES = 8;
/** Longest header that is read or written, as in the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;
export const METADATA_KEY = '__metadata__';
const OPENING_BRACE = 0x7b;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** First byte and the one after the last, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Header of a file whose data part has `dataBytes` bytes.
 * @throws SafetensorsError naming file, tensor and numbers for everything that does not fit.
 */
export function parseHeader(json: Uint8Array, dataBytes: number, file: string): Header {
  if (json[0] !== OPENING_BRACE) {
    const found = json.length === 0 ? 'is empty' : `begins with byte ${json[0]}`;
    throw new SafetensorsError(file, `the header ${found}, not with {; is this a safetensors file?`);
  }
  const { record, keys } = parseJsonObject(json, file, 'the header');
  const metadata = parseMetadata(record[METADATA_KEY], file);
  const infos: TensorInfo[] = [];
  for (const name of keys) {
    if (name !== METADATA_KEY) infos.push(parseInfo(name, record[name], dataBytes, file));
  }
  infos.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(infos, dataBytes, file);
  return { tensors: new Map(infos.map((info) => [info.name, info])), metadata };
}

function parseMetadata(value: unknown, file: string): Map<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!isRecord(value))
    throw new SafetensorsError(file, `${METADATA_KEY} is not an object but ${shown(value)}`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw new SafetensorsError(file, `${METADATA_KEY} key ${shown(key)} is not a text but ${shown(text)}`);
    }
    if (!isWellFormed(key) || !isWellFormed(text)) {
      throw new SafetensorsError(file, `${METADATA_KEY} key ${shown(key)} has half a surrogate pair`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

function parseInfo(tensor: string, value: unknown, dataBytes: number, file: string): TensorInfo {
  const fail = (reason: string): never => {
    throw new SafetensorsError(file, reason, { tensor });
  };
  if (!isWellFormed(tensor)) return fail('the name has half a surrogate pair and no UTF-8 form');
  if (!isRecord(value)) return fail(`expected { dtype, shape, data_offsets }, got ${shown(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isSafetensorsDType(dtype))
    return fail(`unknown dtype ${shown(dtype)}; known: ${SAFETENSORS_DTYPES.join(', ')}`);
  if (!isShape(shape)) return fail(`shape ${shown(shape)} is not a list of whole numbers from 0 on`);
  const count = elementCount(shape);
  const bytes = count === undefined ? Number.POSITIVE_INFINITY : count * byteSizeOf(dtype);
  if (!Number.isSafeInteger(bytes))
    return fail(`shape ${shown(shape)} of ${dtype} has more bytes than can be counted`);
  if (!isShape(offsets) || offsets.length !== 2) {
    return fail(`data_offsets ${shown(offsets)} are not two whole numbers from 0 on`);
  }
  const [begin, end] = offsets;
  if (begin > end) return fail(`data_offsets ${shown(offsets)} begin after their end`);
  if (end > dataBytes) {
    return fail(
      `data_offsets ${shown(offsets)} reach beyond the ${dataBytes} data bytes of the file; is it cut off?`,
    );
  }
  if (end - begin !== bytes) {
    return fail(
      `shape ${shown(shape)} of ${dtype} needs ${bytes} bytes, data_offsets ${shown(offsets)} hold ${end - begin}`,
    );
  }
  // Adding 0 turns the -0 that JSON allows into 0.
  return { name: tensor, dtype, shape: shape.map((n) => n + 0), begin: begin + 0, end: end + 0 };
}

/** `infos` in the order of their bytes. */
function checkCover(infos: readonly TensorInfo[], dataBytes: number, file: string): void {
  let covered = 0;
  let previous = '';
  for (const { name, begin, end } of infos) {
    if (begin < covered) {
      const reason = `bytes ${begin} … ${end} overlap those of tensor ${shown(previous)}, which end at ${covered}`;
      throw new SafetensorsError(file, reason, { tensor: name });
    }
    if (begin > covered) {
      const reason = `begins at byte ${begin}, but the bytes from ${covered} to there belong to no tensor`;
      throw new SafetensorsError(file, reason, { tensor: name });
    }
    covered = end;
    previous = name;
  }
  if (covered !== dataBytes) {
    const reason = `the tensors end at data byte ${covered}, but the file has ${dataBytes}: ${dataBytes - covered} belong to no tensor`;
    throw new SafetensorsError(file, reason);
  }
}

/** Length and header, filled with spaces to a multiple of 8 bytes so that the data is aligned. Metadata goes in key order. */
export function formatHeader(
  tensors: readonly TensorInfo[],
  metadata: ReadonlyMap<string, string>,
  file: string,
): Uint8Array {
  // Written field by field: an object would move names that look like numbers to the front.
  const fields = tensors.map(({ name, dtype, shape, begin, end }) => {
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`;
  });
  if (metadata.size > 0) {
    const texts = [...metadata].sort(([a], [b]) => (a < b ? -1 : 1));
    const pairs = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    fields.unshift(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(',')}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      file,
      `the header would have ${padded} bytes; at most ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  const header = new Uint8Array(LENGTH_BYTES + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, LENGTH_BYTES);
  return header;
}
