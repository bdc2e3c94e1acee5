import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

/** They wait for the garbage collector. */
const COLLECTED = ['spec/kernels/{cpuHeap,gpujsMemory}.spec.ts', 'spec/tensor/lifetime.spec.ts'];

/** What `npm run test:fast` leaves out. */
const SLOW = [
  'spec/{properties,onnx,mutation}/**',
  'spec/verify/{training,functions,trace,verify,compiles}.spec.ts',
  'spec/cli/{verify,verifyTrace,answers}.spec.ts',
  'spec/kernels/{wasmProducts,gpujs,gpujsConformance,gpujsMemory,wasmMemory,wasmThreads,wasmAttention}.spec.ts',
  'spec/{bench,benchGpu,benchPeers,examples,package/package}.spec.ts',
];

export default defineConfig(({ mode }) => ({
  // Examples import the package: in the project itself it is its own source, as in tsconfig.json.
  resolve: {
    alias: [
      { find: /^cogvlm-ts$/, replacement: source('index.ts') },
      { find: /^cogvlm-ts\/node$/, replacement: source('node.ts') },
      { find: /^cogvlm-ts\/(data|kernels|train|verify)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    setupFiles: ['spec/setup.ts'],
    // All cores; by default one is left free, which of two is half.
    maxWorkers: '100%',
    testTimeout: 240_000,
    hookTimeout: 60_000,
    // Spec files share a process and its modules: loading them anew for each takes longer than most specs. What a file sets
    // up, it clears up. Those that wait for the garbage collector have a process to themselves, in which it is soon done.
    projects: [
      {
        extends: true,
        test: {
          name: 'shared',
          isolate: false,
          include: ['spec/**/*.spec.ts'],
          exclude: [...configDefaults.exclude, ...COLLECTED, ...(mode === 'fast' ? SLOW : [])],
        },
      },
      {
        extends: true,
        test: { name: 'alone', isolate: true, include: COLLECTED, exclude: mode === 'fast' ? SLOW : [] },
      },
    ],
  },
}));
