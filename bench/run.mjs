/**
 * Bundles the bench for a Node that runs no TypeScript, and runs it in a process of its own with the same arguments:
 * `run.mjs [--peers] …`. With --peers it is the comparison with other libraries.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { compileRoofline } from './roofline/build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = join(root, 'bench');
const withPeers = process.argv[2] === '--peers';
const programs = withPeers
  ? {
      main: 'peers/main.ts',
      ours: 'peers/drivers/ours.ts',
      tfjs: 'peers/drivers/tfjs.mjs',
      jax: 'peers/drivers/jax.mjs',
      onnxruntime: 'peers/drivers/onnxruntime.mjs',
      'js-pytorch': 'peers/drivers/jsPytorch.mjs',
    }
  : { main: 'main.ts' };

// In node_modules, where packages are found as from the source.
const cache = join(withPeers ? join(bench, 'peers') : root, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
// Ctrl-C ends the bench; this process then still clears up.
process.on('SIGINT', () => {});
const dir = mkdtempSync(join(cache, 'bench-'));
try {
  const input = { ...programs, 'roofline-worker': 'roofline/worker.ts' };
  const bundle = await rolldown({
    input: Object.fromEntries(Object.entries(input).map(([name, file]) => [name, join(bench, file)])),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
  });
  await bundle.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  await bundle.close();
  writeFileSync(join(dir, 'roofline.wasm'), await compileRoofline(false));
  writeFileSync(join(dir, 'roofline-relaxed.wasm'), await compileRoofline(true));
  if (withPeers)
    copyFileSync(join(bench, 'peers', 'drivers', 'torch_driver.py'), join(dir, 'torch_driver.py'));
  const args = ['--expose-gc', join(dir, 'main.mjs'), ...process.argv.slice(withPeers ? 3 : 2)];
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true });
}
