/** Writing files as a whole (Node only): a reader sees the old one or the new one. */
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { reasonOf } from './reason.ts';

/** A file could not be written; what was there before is untouched. */
export class FileWriteError extends Error {
  override readonly name = 'FileWriteError';
  readonly path: string;

  constructor(path: string, cause: unknown) {
    super(`${path} cannot be written: ${reasonOf(cause)}`, { cause });
    this.path = path;
  }
}

/** An open file, as far as writing goes; a type of ours, so that the published ones need none of Node's. */
export interface WritableFile {
  write(bytes: Uint8Array, offset: number, length: number): Promise<{ readonly bytesWritten: number }>;
  writeFile(content: string | Uint8Array): Promise<void>;
}

/** A file that is still to be written. */
export interface PendingFile {
  readonly path: string;
  write(handle: WritableFile): Promise<void>;
}

/**
 * Writes a file as a whole: a reader sees the old one or the new one.
 * @throws FileWriteError
 */
export function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  return replaceFiles([{ path, write: (handle) => handle.writeFile(content) }]);
}

/**
 * Writes each file to a temporary one beside it and flushes it; when all are there, renames them in their order.
 * @throws FileWriteError naming the file, with the reason as its cause; up to the renaming all are as they were
 */
export async function replaceFiles(
  files: readonly PendingFile[],
  beforeRenaming?: () => Promise<void>,
): Promise<void> {
  const temporary: string[] = [];
  try {
    for (const { path, write } of files) {
      await naming(path, async () => {
        await removeLeftovers(path);
        const name = `${path}.${process.pid}-${STARTED}-${temporaryFiles++}.tmp`;
        const handle = await open(name, 'wx');
        temporary.push(name);
        try {
          await write(handle);
          await handle.sync();
        } finally {
          await handle.close();
        }
      });
    }
    await beforeRenaming?.();
    for (const [i, { path }] of files.entries()) await naming(path, () => rename(temporary[i], path));
  } catch (error) {
    await Promise.all(temporary.map((name) => rm(name, { force: true })));
    throw error;
  }
}

let temporaryFiles = 0;

/** When this process started: the next one in a container has the same number, but not this. */
const STARTED = Math.round(performance.timeOrigin).toString(36);

/** How long a temporary file of a process that is not seen here is left alone: it may be another machine's. */
const FOREIGN_MS = 3_600_000;

/** Removes temporary files of `path` whose process was killed while it wrote, where the folder can be listed. */
async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  for (const name of await readdir(folder).catch(() => [])) {
    const parts = name.startsWith(start)
      ? /^(\d+)-(?:([0-9a-z]+)-)?\d+\.tmp$/.exec(name.slice(start.length))
      : null;
    if (parts === null) continue;
    const [, pid, started] = parts;
    const isOwn = Number(pid) === process.pid;
    const isLeft = isOwn ? started !== STARTED : !isAlive(Number(pid)) && (await isOld(join(folder, name)));
    if (isLeft) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > FOREIGN_MS;
  } catch {
    return false; // another process has removed it
  }
}

async function naming<R>(path: string, action: () => Promise<R>): Promise<R> {
  try {
    return await action();
  } catch (cause) {
    throw new FileWriteError(path, cause);
  }
}
