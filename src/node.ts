/** Everything of the package, and what reads and writes files (Node only). */
export {
  type CheckpointWriteOptions,
  type FileEntry,
  FileWriteError,
  fileSource,
  openCheckpointFolder,
  type ReadTensorsOptions,
  readTensors,
  replaceFile,
  writeCheckpointFolder,
  writeSafetensorsFile,
} from './data/node.ts';
export * from './index.ts';
// Verification, and WebGPU in Node
export { installWebGpu } from './kernels/node.ts';
// Models
export {
  type LoadPretrainedOptions,
  loadPretrained,
  modelFolder,
  readTokenizer,
  type SavePretrainedOptions,
  savePretrained,
} from './models/cogvlm/node.ts';
// Stages of training, and saved runs
export {
  loadRun,
  runStages,
  SavedRunError,
  type Stage,
  type StageRecord,
  type StageReport,
  saveRun,
} from './train/node.ts';
export { goldenFolder } from './verify/node.ts';
