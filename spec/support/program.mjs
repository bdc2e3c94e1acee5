/** Runs a program of the project from its TypeScript source, in a Node that reads no TypeScript. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/**
 * @param file URL of a source file that exports `main(args)`
 * @param args command-line arguments
 */
export async function runProgram(file, args) {
  const vite = await createServer({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    server: { middlewareMode: true, watch: null, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  try {
    const { main } = await vite.ssrLoadModule(fileURLToPath(file));
    await main(args);
  } finally {
    await vite.close();
  }
}
