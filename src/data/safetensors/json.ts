/**
 * Reading JSON strictly. `JSON.parse` hides two things that matter in a header: a key that occurs twice (the last one wins,
 * silently) and the order of keys that look like numbers. Its text is therefore scanned for keys once more.
 */
import { reasonOf } from '../reason.ts';
import { SafetensorsError } from './error.ts';

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const UNPAIRED_SURROGATE = /\p{Surrogate}/u;

/** False where half a surrogate pair stands alone: such a text has no UTF-8 form, yet JSON can spell it. */
export function isWellFormed(text: string): boolean {
  return !UNPAIRED_SURROGATE.test(text);
}

/** A value from a file as an error shows it: cut to one line. */
export function shown(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'missing';
  } catch {
    return 'something nested too deep to show'; // JSON.stringify recurses where JSON.parse did not
  }
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}

/** A JSON object from UTF-8 bytes, with its keys in order. Throws where it is none or a key occurs twice. */
export function parseJsonObject(
  bytes: Uint8Array,
  file: string,
  what: string,
): { readonly record: Record<string, unknown>; readonly keys: readonly string[] } {
  let record: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    record = JSON.parse(text);
  } catch (cause) {
    throw new SafetensorsError(file, `${what} is not JSON: ${reasonOf(cause)}`, { cause });
  }
  if (!isRecord(record))
    throw new SafetensorsError(file, `${what} is not a JSON object but ${shown(record)}`);
  const { top, duplicate } = scanJsonKeys(text);
  if (duplicate) {
    const under = duplicate.under === undefined ? '' : ` under ${shown(duplicate.under)}`;
    throw new SafetensorsError(file, `${what} has the key ${shown(duplicate.key)} twice${under}`);
  }
  return { record, keys: top };
}

interface JsonKeys {
  /** Keys of the outermost object, in the order of the text. */
  readonly top: readonly string[];
  /** First key found twice in one object, with the outermost key it lies under. */
  readonly duplicate: { readonly key: string; readonly under: string | undefined } | undefined;
}

/** Keys of a text that `JSON.parse` has accepted. */
function scanJsonKeys(json: string): JsonKeys {
  const top: string[] = [];
  const open: Set<string>[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '{') open.push(new Set());
    else if (char === '}') open.pop();
    else if (char === '"') {
      const end = closingQuote(json, at);
      if (isKey(json, end + 1)) {
        const key: string = JSON.parse(json.slice(at, end + 1));
        const keys = open[open.length - 1];
        const outermost = open.length === 1;
        if (keys.has(key)) return { top, duplicate: { key, under: outermost ? undefined : top.at(-1) } };
        keys.add(key);
        if (outermost) top.push(key);
      }
      at = end;
    }
  }
  return { top, duplicate: undefined };
}

function closingQuote(json: string, openingQuote: number): number {
  let at = openingQuote + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at;
}

function isKey(json: string, after: number): boolean {
  let at = after;
  while (json[at] === ' ' || json[at] === '\n' || json[at] === '\r' || json[at] === '\t') at++;
  return json[at] === ':';
}
