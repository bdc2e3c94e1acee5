/** Bundles programs of the bench, which are TypeScript, for a Node or a browser that runs none. */
import { isAbsolute } from 'node:path';
import { rolldown } from 'rolldown';

/** Everything that is not the project's own. */
export const packages = (id) => !id.startsWith('.') && !isAbsolute(id);

/** Name of a program → its file; NAME.mjs is written into `dir`. */
export async function bundle(input, dir, { platform = 'node', external = packages } = {}) {
  const built = await rolldown({
    input,
    platform,
    external,
    // CommonJS copies of one package beside its modules would be two packages.
    resolve: { mainFields: ['module', 'main'] },
    logLevel: 'silent',
  });
  await built.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].mjs',
    chunkFileNames: '[name]-[hash].mjs',
  });
  await built.close();
}
