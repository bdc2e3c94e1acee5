/** What only Node can do for kernels (Node only). */
export { installWebGpu } from './gpujs/node.ts';
