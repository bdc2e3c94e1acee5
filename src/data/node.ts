/** Files: reading and writing them, and safetensors on disk (Node only). */

export { readBytes, readJson } from './readFile.ts';
export { FileWriteError, replaceFile } from './replaceFile.ts';
export {
  type CheckpointWriteOptions,
  type FileEntry,
  fileSource,
  openCheckpointFolder,
  writeCheckpointFolder,
  writeSafetensorsFile,
} from './safetensors/node.ts';
export { type ReadTensorsOptions, readTensors } from './safetensors/readTensors.ts';
