/** Bundles the bench for a Node that runs no TypeScript, and runs it in a process of its own with the same arguments. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
// In node_modules, where packages are found as from the source.
const cache = join(root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
// Ctrl-C ends the bench; this process then still clears up.
process.on('SIGINT', () => {});
const dir = mkdtempSync(join(cache, 'bench-'));
try {
  const bundle = await rolldown({
    input: join(root, 'bench', 'main.ts'),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
  });
  await bundle.write({ dir, format: 'esm', entryFileNames: 'main.mjs', chunkFileNames: '[name].mjs' });
  await bundle.close();
  const args = ['--expose-gc', join(dir, 'main.mjs'), ...process.argv.slice(2)];
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true });
}
