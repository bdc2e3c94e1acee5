/**
 * Bundles the bench for a Node that runs no TypeScript, and runs it in a process of its own with the same arguments:
 * `run.mjs [--peers | --gpu] …`. With --peers it is the comparison with other libraries, with --gpu the one on a GPU.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.mjs';
import { compileRoofline } from './roofline/build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bench = join(root, 'bench');

/** Programs; the folder whose packages they find; files that lie beside them. */
const KINDS = {
  '--peers': {
    home: join(bench, 'peers'),
    programs: {
      main: 'peers/main.ts',
      ours: 'peers/drivers/ours.ts',
      tfjs: 'peers/drivers/tfjs.mjs',
      jax: 'peers/drivers/jax.mjs',
      onnxruntime: 'peers/drivers/onnxruntime.mjs',
      'js-pytorch': 'peers/drivers/jsPytorch.mjs',
      'roofline-worker': 'roofline/worker.ts',
    },
    beside: ['peers/drivers/torch_driver.py'],
  },
  '--gpu': {
    home: root,
    programs: {
      main: 'gpu/main.ts',
      probe: 'gpu/probe.ts',
      driver: 'gpu/driver.ts',
      'library-ours': 'gpu/libraries/ours.ts',
      'library-verify': 'gpu/libraries/verifyFiles.ts',
    },
    beside: [],
  },
};
const OURS = {
  home: root,
  programs: { main: 'main.ts', 'roofline-worker': 'roofline/worker.ts' },
  beside: [],
};

const kind = process.argv[2] in KINDS ? process.argv[2] : undefined;
const { home, programs, beside } = kind === undefined ? OURS : KINDS[kind];

// In node_modules, where packages are found as from the source.
const cache = join(home, 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
// Ctrl-C ends the bench; this process then still clears up.
process.on('SIGINT', () => {});
const dir = mkdtempSync(join(cache, 'bench-'));
try {
  const files = Object.entries(programs).map(([name, file]) => [name, join(bench, file)]);
  await bundle(Object.fromEntries(files), dir);
  if ('roofline-worker' in programs) {
    writeFileSync(join(dir, 'roofline.wasm'), await compileRoofline(false));
    writeFileSync(join(dir, 'roofline-relaxed.wasm'), await compileRoofline(true));
  }
  for (const file of beside) copyFileSync(join(bench, file), join(dir, basename(file)));
  const args = ['--expose-gc', join(dir, 'main.mjs'), ...process.argv.slice(kind === undefined ? 2 : 3)];
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  if (error) throw error;
  process.exitCode = status ?? 1;
} finally {
  rmSync(dir, { recursive: true });
}
