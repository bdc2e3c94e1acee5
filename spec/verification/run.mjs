/** npm run verify: runs main.ts, with everything it imports from the source, in a Node that reads no TypeScript. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const vite = await createServer({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  configFile: false,
  appType: 'custom',
  logLevel: 'warn',
  server: { middlewareMode: true, watch: null, ws: false },
  optimizeDeps: { noDiscovery: true },
});
try {
  const { main } = await vite.ssrLoadModule(fileURLToPath(new URL('main.ts', import.meta.url)));
  await main(process.argv.slice(2));
} finally {
  await vite.close();
}
