/** Writing a file as a whole (Node only): a reader sees the old one or the new one. */
import { open, rename, rm } from 'node:fs/promises';
import { reasonOf } from './reason.ts';

let temporaryFiles = 0;

/**
 * Writes a temporary file beside `path`, flushes it and renames it.
 * @throws Error naming the path and the reason; what was there before is untouched then
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}-${temporaryFiles++}.tmp`;
  try {
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // where there is no folder there is nothing to remove
    throw new Error(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
