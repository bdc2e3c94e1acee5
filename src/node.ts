/** Everything of the package, and what reads and writes files (Node only). */
export * from './data/safetensors/node.ts';
export * from './index.ts';
export { installWebGpu } from './kernels/gpujs/node.ts';
export { modelFolder } from './models/cogvlm/modelFolder.ts';
export * from './models/cogvlm/node.ts';
export * from './train/node.ts';
export { goldenFolder } from './verify/node.ts';
