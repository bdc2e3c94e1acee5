import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (file: string) => fileURLToPath(new URL(`src/${file}`, import.meta.url));

export default defineConfig({
  // Examples import the package: in the project itself it is its own source, as in tsconfig.json.
  resolve: {
    alias: [
      { find: /^cogvlm-ts$/, replacement: source('index.ts') },
      { find: /^cogvlm-ts\/node$/, replacement: source('node.ts') },
      { find: /^cogvlm-ts\/(data|kernels|train|verify)$/, replacement: source('$1/index.ts') },
    ],
  },
  test: {
    include: ['spec/**/*.spec.ts'],
    setupFiles: ['spec/setup.ts'],
    // All cores; by default one is left free, which of two is half.
    maxWorkers: '100%',
    // Spec files share a process and its modules: loading them anew for each takes longer than most specs. What a file sets
    // up, it clears up; the backend is set anew for each (spec/setup.ts).
    isolate: false,
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
