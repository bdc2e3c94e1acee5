/**
 * Compiles the AssemblyScript kernels into two modules, plain SIMD and relaxed SIMD (fused multiply-add), and writes
 * them as base64 into generated/module.ts, with what a thread runs (worker.ts) as text, so that neither Node nor a browser
 * loads a file at run time; what the modules export goes to generated/signatures.ts, where tsc sees it.
 *
 * A module says whether the memory it imports is shared, in one byte; where it lies is written, too, so that one
 * module serves both.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import ts from 'typescript';
import { exportsOf, INDEX, indexText } from './exports.mjs';
import { signatures } from './signatures.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const assembly = join(here, 'assembly');
const generated = join(here, 'generated');
const exported = exportsOf(assembly);

async function compile(features) {
  let binary = null;
  const output = asc.createMemoryStream();
  const { error } = await asc.main(
    [
      INDEX,
      '--baseDir',
      assembly,
      '--outFile',
      'kernels.wasm',
      '--runtime',
      'stub',
      '--use',
      'abort=',
      '--importMemory',
      '--maximumMemory',
      '65536',
      '--noAssert',
      '-O3',
      ...features.flatMap((feature) => ['--enable', feature]),
    ],
    {
      stdout: output,
      stderr: output,
      readFile: (name, folder) => (name === INDEX ? indexText(exported) : readText(join(folder, name))),
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error || binary === null)
    throw new Error(`The kernels do not compile:\n${output.toString()}${error ?? ''}`);
  return binary;
}

/** What a file holds; null where the compiler asks for one that is not there. */
function readText(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

/** Import "env" "memory", of kind 2, and the limits: 1 is with a maximum, 3 is that and shared. */
const MEMORY_IMPORT = Buffer.from('\x03env\x06memory\x02\x01', 'latin1');

function memoryFlagAt(binary) {
  const at = Buffer.from(binary).indexOf(MEMORY_IMPORT);
  if (at < 0) throw new Error('The import of the memory is not where it is expected');
  return at + MEMORY_IMPORT.length - 1;
}

/** Whoever reads it meanwhile finds the file of before. */
function write(name, text) {
  const target = join(generated, name);
  writeFileSync(`${target}.tmp`, text);
  renameSync(`${target}.tmp`, target);
}

const plain = await compile(['simd']);
const relaxed = await compile(['simd', 'relaxed-simd']);
const worker = ts.transpileModule(readFileSync(join(here, 'worker.ts'), 'utf8'), {
  compilerOptions: { target: 'ES2022', module: 'None', removeComments: true },
}).outputText;
// One module that has no relaxed SIMD runs everywhere, and both export the same.
const signed = signatures(assembly, exported, new WebAssembly.Module(plain));
mkdirSync(generated, { recursive: true });
write('signatures.ts', signed);
write(
  'module.ts',
  `/** Written by build.mjs from assembly/*.ts; not edited by hand. */
// biome-ignore format: two long strings
export const PLAIN_SIMD: string = '${Buffer.from(plain).toString('base64')}';
// biome-ignore format: two long strings
export const RELAXED_SIMD: string = '${Buffer.from(relaxed).toString('base64')}';
export const MEMORY_FLAG = { plain: ${memoryFlagAt(plain)}, relaxed: ${memoryFlagAt(relaxed)} };
// biome-ignore format: one long string
export const WORKER_SOURCE: string = ${JSON.stringify(worker)};
`,
);
console.log(`wasm kernels: ${plain.length} bytes plain SIMD, ${relaxed.length} bytes relaxed SIMD`);
