/** Reading a whole file (Node only), with errors that say which file and why, without the system's codes. */
import { readFile, stat } from 'node:fs/promises';
import { reasonOf } from './reason.ts';

/** @throws Error naming the path and the reason; also where it is no file, which could be read for ever */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const found = await stat(path);
    if (!found.isFile() && !found.isDirectory()) throw new Error('it is a device or a pipe, expected a file');
    return await readFile(path);
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** The parsed content of a JSON file. @throws Error naming the path and the reason */
export async function readJson(path: string): Promise<unknown> {
  const text = new TextDecoder().decode(await readBytes(path));
  try {
    if (text.trim() === '') throw new Error('it is empty, expected JSON');
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
