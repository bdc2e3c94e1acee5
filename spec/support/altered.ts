/**
 * The source with a fault written into it, to see whether what looks for faults finds them: bundled with textual edits,
 * imported, and gone again. What is imported shares no state with the source itself; its backend is cpu.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const ROOT = join(import.meta.dirname, '../..');

export interface Edit {
  /** Path in the project: "src/nn/norm.ts". */
  readonly file: string;
  /** Occurs there exactly once. */
  readonly from: string;
  readonly to: string;
}

/**
 * @param entry path in the project of the module to import
 * @throws Error where an edit's file is not part of the bundle, or its text is not there exactly once
 */
export async function importAltered<T>(entry: string, edits: readonly Edit[]): Promise<T> {
  const open = new Set(edits);
  const alter = (code: string, id: string): string => {
    const file = relative(ROOT, id).replaceAll('\\', '/');
    let text = code;
    for (const edit of edits.filter((one) => one.file === file)) {
      const found = text.split(edit.from).length - 1;
      if (found !== 1) throw new Error(`${file} has ${found} times what one edit changes: ${edit.from}`);
      // A function, since $ means something in a replacement text.
      text = text.replace(edit.from, () => edit.to);
      open.delete(edit);
    }
    return text;
  };
  const bundle = await rolldown({
    input: join(ROOT, entry),
    platform: 'node',
    external: (id) => !id.startsWith('.') && !isAbsolute(id),
    plugins: [{ name: 'alter', transform: (code, id) => ({ code: alter(code, id), map: null }) }],
  });
  // In node_modules, where packages are found as from the source.
  const cache = join(ROOT, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'altered-'));
  try {
    const file = join(folder, 'entry.mjs');
    await bundle.write({ file, format: 'esm', codeSplitting: false });
    const [left] = open;
    if (left !== undefined) throw new Error(`${entry} does not import ${left.file}, which an edit is for`);
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as T;
  } finally {
    await bundle.close();
    rmSync(folder, { recursive: true });
  }
}
