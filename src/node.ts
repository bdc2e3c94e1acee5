/** Everything of the package, and what reads and writes files (Node only). */
export { FileWriteError, replaceFile } from './data/replaceFile.ts';
export * from './data/safetensors/node.ts';
export { type ReadTensorsOptions, readTensors } from './data/safetensors/readTensors.ts';
export * from './index.ts';
export { installWebGpu } from './kernels/gpujs/node.ts';
export { modelFolder } from './models/cogvlm/modelFolder.ts';
export * from './models/cogvlm/node.ts';
export * from './train/node.ts';
export * from './train/runStages.ts';
export { goldenFolder } from './verify/node.ts';
