/** Golden folders on disk (Node only). */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSafetensors, reasonOf } from '../data/index.ts';
import { fileSource, openCheckpointFolder } from '../data/node.ts';
import { GoldenError, type GoldenFolder } from './golden.ts';

/** A golden folder on disk. @throws GoldenError naming the file, when it is read */
export function goldenFolder(path: string): GoldenFolder {
  const explained = async <T>(what: string, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      throw new GoldenError(`${path}: cannot read ${what}: ${reasonOf(error)}`);
    }
  };
  return {
    label: path,
    list: () => explained('the folder', () => readdir(path)),
    bytes: (name) => explained(name, () => readFile(join(path, name))),
    safetensors: async (name) => openSafetensors(await fileSource(join(path, name))),
    checkpoint: (name) => openCheckpointFolder(join(path, name)),
  };
}
