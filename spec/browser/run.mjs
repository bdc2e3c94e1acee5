/**
 * npm run test:browser: the browser specs in an installed Chromium; arguments are vitest's (-t NAME).
 * npm run test:browser -- --serve [PORT]: only serves the pages, to be opened by hand in any browser.
 */
import { fileURLToPath } from 'node:url';
import { parseCLI, startVitest } from 'vitest/node';
import { findChromium } from './chromium.mjs';
import { serve } from './server.mjs';

const args = process.argv.slice(2);

async function runSpecs() {
  let chromium;
  try {
    chromium = findChromium();
  } catch (error) {
    console.error(`test:browser: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  const { origin, close } = await serve();
  const { filter, options } = parseCLI(['vitest', 'run', ...args]);
  const vitest = await startVitest('test', filter, {
    ...options,
    config: false,
    watch: false,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['spec/browser/*.browser.ts'],
    // WebGL2 on the processor answers slowly, one kernel at a time.
    testTimeout: 400_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
    provide: { origin, chromium },
  });
  await vitest.close();
  await close();
}

if (args[0] === '--serve') {
  const { origin } = await serve(Number(args[1] ?? 0));
  console.log(`${origin}/   (Ctrl-C ends it)`);
} else {
  await runSpecs();
}
