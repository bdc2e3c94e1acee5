/**
 * Compiles the AssemblyScript kernels into two modules, plain SIMD and relaxed SIMD (fused multiply-add), and writes
 * them as base64 into generated.ts, so that neither Node nor a browser loads a file at run time.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const here = dirname(fileURLToPath(import.meta.url));

async function compile(features) {
  let binary = null;
  const output = asc.createMemoryStream();
  const { error } = await asc.main(
    [
      'index.ts',
      '--baseDir',
      join(here, 'assembly'),
      '--outFile',
      'kernels.wasm',
      '--runtime',
      'stub',
      '--use',
      'abort=',
      '--importMemory',
      '--noAssert',
      '-O3',
      ...features.flatMap((feature) => ['--enable', feature]),
    ],
    {
      stdout: output,
      stderr: output,
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error || binary === null)
    throw new Error(`The kernels do not compile:\n${output.toString()}${error ?? ''}`);
  return binary;
}

const plain = await compile(['simd']);
const relaxed = await compile(['simd', 'relaxed-simd']);
const text = `/** Written by build.mjs from assembly/*.ts; not edited by hand. */
// biome-ignore format: two long strings
export const PLAIN_SIMD = '${Buffer.from(plain).toString('base64')}';
// biome-ignore format: two long strings
export const RELAXED_SIMD = '${Buffer.from(relaxed).toString('base64')}';
`;
const target = join(here, 'generated.ts');
writeFileSync(`${target}.tmp`, text);
renameSync(`${target}.tmp`, target);
console.log(`wasm kernels: ${plain.length} bytes plain SIMD, ${relaxed.length} bytes relaxed SIMD`);
