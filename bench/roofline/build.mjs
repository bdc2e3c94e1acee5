/** Compiles roofline.as into a module with or without relaxed SIMD. */
import { readFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const source = new URL('roofline.as', import.meta.url);

/** @returns {Promise<Uint8Array>} */
export async function compileRoofline(relaxed) {
  let binary = null;
  const output = asc.createMemoryStream();
  const features = ['simd', ...(relaxed ? ['relaxed-simd'] : [])].flatMap((feature) => ['--enable', feature]);
  const { error } = await asc.main(
    ['roofline.ts', '--outFile', 'roofline.wasm', '--runtime', 'stub', '-O3', ...features],
    {
      stdout: output,
      stderr: output,
      readFile: (name) => (name === 'roofline.ts' ? readFileSync(source, 'utf8') : null),
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error || binary === null) throw new Error(`The roofline does not compile:\n${output}${error ?? ''}`);
  return binary;
}
