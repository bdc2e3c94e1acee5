/**
 * Writes the report page's script into generated.ts, as one text: page.ts bundled with what it imports. The bundle is the
 * proof that it stands alone: whatever it needs is in it, or there is none.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const here = import.meta.dirname;

/** @returns {Promise<string>} the script as a page has it between its tags */
export async function pageScript() {
  const bundle = await rolldown({ input: join(here, 'page.ts'), platform: 'browser' });
  const { output } = await bundle.generate({ format: 'iife', comments: false });
  await bundle.close();
  const [{ code, imports }] = output;
  if (imports.length > 0) throw new Error(`The script of the report page needs ${imports.join(', ')}`);
  if (/<\/script|<!--/i.test(code))
    throw new Error('The script of the report page would end its own element');
  return code.trim();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const script = await pageScript();
  const text = `/** Written by build.mjs from page.ts; not edited by hand. */
// biome-ignore format: one long string
export const PAGE_SCRIPT = ${JSON.stringify(script)};
`;
  const target = join(here, 'generated.ts');
  writeFileSync(`${target}.tmp`, text);
  renameSync(`${target}.tmp`, target);
  console.log(`report page: ${script.length} characters of script`);
}
