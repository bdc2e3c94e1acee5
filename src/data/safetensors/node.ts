/**
 * Safetensors files and checkpoint folders on disk (Node only).
 *
 * Files are replaced as a whole: a reader sees the old file or the new one, and a failed write leaves nothing behind.
 */

import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../reason.ts';
import { FileWriteError, type PendingFile, replaceFiles, type WritableFile } from '../replaceFile.ts';
import type { Checkpoint } from './checkpoint.ts';
import { INDEX_FILE, openCheckpoint } from './checkpoint.ts';
import { SafetensorsError } from './error.ts';
import type { Shard } from './shards.ts';
import { formatIndex, planShards } from './shards.ts';
import type { ByteSource } from './source.ts';
import { checkRange } from './source.ts';
import type { Metadata, TensorEntry, TensorSpec } from './write.ts';
import { encodeTensor, layOut } from './write.ts';

/** One system call moves at most 2 GiB. */
const MAX_IO_BYTES = 2 ** 30;

/** A file on disk, read in ranges. Close it, or what was opened on it. */
export async function fileSource(path: string): Promise<ByteSource & { close(): Promise<void> }> {
  const { handle, size } = await openFile(path);
  return {
    size,
    label: path,
    async read(offset, length) {
      checkRange(offset, length, size, path);
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const wanted = Math.min(length - filled, MAX_IO_BYTES);
        const { bytesRead } = await handle.read(bytes, filled, wanted, offset + filled);
        if (bytesRead === 0) {
          throw new SafetensorsError(
            path,
            `ended at byte ${offset + filled}, it had ${size} when it was opened`,
          );
        }
        filled += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

async function openFile(path: string): Promise<{ handle: FileHandle; size: number }> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (!stat.isFile())
      throw new Error(
        stat.isDirectory() ? 'it is a folder, expected a file' : 'it is a device or a pipe, expected a file',
      );
    return { handle, size: stat.size };
  } catch (cause) {
    await handle?.close();
    throw new SafetensorsError(path, `cannot be opened: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Opens the checkpoint in a folder; headers only, weights when read.
 * @throws SafetensorsError as openCheckpoint does, and when the folder cannot be listed.
 */
export async function openCheckpointFolder(path: string): Promise<Checkpoint> {
  return openCheckpoint({
    label: path,
    async list() {
      try {
        return await readdir(path);
      } catch (cause) {
        throw new SafetensorsError(path, `the folder cannot be listed: ${reasonOf(cause)}`, { cause });
      }
    },
    open: (name) => fileSource(join(path, name)),
  });
}

/** A tensor whose data is there, or is made when its turn to be written comes: for checkpoints larger than memory. */
export interface FileEntry extends TensorSpec {
  readonly data: TensorEntry['data'] | (() => TensorEntry['data'] | Promise<TensorEntry['data']>);
}

/**
 * Writes one file; its bytes are those of writeSafetensors.
 * @throws SafetensorsError as writeSafetensors does, and when the file cannot be written; the path is as before then.
 */
export async function writeSafetensorsFile(
  path: string,
  entries: readonly FileEntry[],
  metadata: Metadata = {},
): Promise<void> {
  await replaced([{ path, write: (handle) => writeTensors(handle, path, entries, metadata) }]);
}

/** How a checkpoint folder is written. */
export interface CheckpointWriteOptions {
  /** Bytes of tensors in one file at most; 5 GB (5·10⁹) unless told, as transformers had it. */
  readonly maxShardBytes?: number;
  readonly metadata?: Metadata;
}

/**
 * Writes a checkpoint folder: `model.safetensors`, or shards and their index. Makes the folder; weight files of a
 * checkpoint that was there before are replaced or removed, other files stay.
 *
 * @throws SafetensorsError as writeSafetensorsFile does; up to the renaming at the end the old checkpoint is untouched.
 */
export async function writeCheckpointFolder(
  path: string,
  entries: readonly FileEntry[],
  options: CheckpointWriteOptions = {},
): Promise<void> {
  const { maxShardBytes = 5e9, metadata = { format: 'pt' } } = options;
  layOut(entries, metadata, path); // a name may be twice in different shards
  const shards = planShards(entries, maxShardBytes, path);
  await explained(path, 'the folder cannot be made', () => mkdir(path, { recursive: true }));
  const files = shards.map((shard) => shardFile(path, shard, metadata));
  const index = join(path, INDEX_FILE);
  if (shards.length > 1) {
    const text = new TextEncoder().encode(formatIndex(shards, path));
    files.push({ path: index, write: (handle) => writeAll(handle, text) });
  }
  // Without its index an old checkpoint cannot be mistaken for the new one while files are replaced; the new index is last.
  await replaced(files, () => rm(index, { force: true }));
  const written = new Set(shards.map(({ name }) => name));
  for (const name of await readdir(path)) {
    if (WEIGHT_FILE.test(name) && !written.has(name)) await rm(join(path, name));
  }
}

const WEIGHT_FILE = /^model(-\d{5}-of-\d{5})?\.safetensors$/;

function shardFile(folder: string, shard: Shard<FileEntry>, metadata: Metadata): PendingFile {
  const path = join(folder, shard.name);
  return { path, write: (handle) => writeTensors(handle, path, shard.entries, metadata) };
}

async function writeTensors(
  handle: WritableFile,
  path: string,
  entries: readonly FileEntry[],
  metadata: Metadata,
): Promise<void> {
  const layout = layOut(entries, metadata, path);
  await writeAll(handle, layout.header);
  for (const entry of layout.entries) {
    const data = typeof entry.data === 'function' ? await entry.data() : entry.data;
    await writeAll(handle, encodeTensor({ ...entry, data }, path));
  }
}

async function writeAll(handle: WritableFile, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const wanted = Math.min(bytes.length - written, MAX_IO_BYTES);
    written += (await handle.write(bytes, written, wanted)).bytesWritten;
  }
}

/** `replaceFiles`, with its errors as those of the format. */
async function replaced(files: readonly PendingFile[], beforeRenaming?: () => Promise<void>): Promise<void> {
  try {
    await replaceFiles(files, beforeRenaming);
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    const { path, cause } = error;
    if (cause instanceof SafetensorsError) throw cause;
    throw new SafetensorsError(path, `cannot be written: ${reasonOf(cause)}`, { cause });
  }
}

/** Says which path an error of the file system is about. */
async function explained<R>(path: string, what: string, action: () => Promise<R>): Promise<R> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof SafetensorsError) throw cause;
    throw new SafetensorsError(path, `${what}: ${reasonOf(cause)}`, { cause });
  }
}
