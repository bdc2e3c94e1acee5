/** npm run mutate: runs main.ts, with everything it imports from the source, in a Node that reads no TypeScript. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('main.ts', import.meta.url)), {
  logLevel: 'warn',
});
await module.main(process.argv.slice(2));
