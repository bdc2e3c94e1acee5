/**
 * npm run goldens: makes again the golden folders that come from this project's own generators, with PyTorch (Debian's
 * python3-torch), and with the same bytes each time. Arguments name generators; without any all of them run.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../support/program.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: here });
  if (error) throw new Error(`goldens: ${command} cannot run: ${error.message}`);
  if (status !== 0) throw new Error(`goldens: ${command} ${args.join(' ')} ended with status ${status}`);
}

/** The samples come from the TypeScript records, which write them down for PyTorch. */
async function functions() {
  const folder = mkdtempSync(join(tmpdir(), 'goldens-'));
  try {
    await runProgram(new URL('cases.ts', import.meta.url), [folder]);
    run(PYTHON, ['functions.py', folder]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Debian's own Python has Debian's PyTorch; PYTHON names another. */
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

const generators = {
  functions,
  trace: () => run(PYTHON, ['trace.py']),
  training: () => run(PYTHON, ['training.py']),
  onnx: () => run(PYTHON, ['onnx_cases.py']),
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in generators));
if (unknown !== undefined) {
  console.error(`goldens: no generator ${unknown}; there are ${Object.keys(generators).join(', ')}`);
  process.exitCode = 1;
} else {
  for (const [name, make] of Object.entries(generators)) {
    if (wanted.length === 0 || wanted.includes(name)) await make();
  }
}
