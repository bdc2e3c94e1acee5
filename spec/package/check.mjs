/**
 * npm run check:package: what is published, read as npm, bundlers, compilers and people will: publint and attw over the
 * tarball, links of its documents, sources of its maps. Asks no network.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pack, ROOT, tool } from './pack.mjs';

/** Links of packed documents to files that are not packed. */
function deadLinks(files) {
  return files
    .filter((file) => file.endsWith('.md'))
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
        .map(([, to]) => to)
        .filter((to) => !/^[a-z]+:/.test(to))
        .map((to) => join(dirname(file), to))
        .filter(
          (to) => !files.includes(to) && !files.some((path) => path.startsWith(`${to.replace(/\/$/, '')}/`)),
        )
        .map((to) => `${file} links to ${to}, which is not in the package`),
    );
}

/** Maps of dist whose source is not there: "go to definition" and debuggers end in the compiler's output. */
function lostSources(files) {
  const maps = files.filter((file) => file.startsWith('dist/') && file.endsWith('.map'));
  if (!maps.some((file) => file.endsWith('.d.ts.map'))) return ['dist has no declaration maps'];
  return maps.flatMap((file) =>
    JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
      .sources.map((source) => join(dirname(file), source))
      .filter((source) => !files.includes(source))
      .map((source) => `${file} is of ${source}, which is not in the package`),
  );
}

/** @throws Error with all that is wrong with the package */
export function check({ tarball, files }) {
  const wrong = [...deadLinks(files), ...lostSources(files)];
  for (const [name, ...args] of [
    ['publint/src/cli.js', 'run', tarball, '--strict'],
    ['@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--no-color'],
  ]) {
    try {
      tool(name, args);
    } catch (error) {
      wrong.push(`${name}:\n${error.stdout}${error.stderr}`);
    }
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

if (process.argv[1] === import.meta.filename) {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    const packed = pack(folder);
    check(packed);
    console.log(
      `the package is in order: ${packed.files.length} files, ${(packed.bytes / 1e6).toFixed(1)} MB packed`,
    );
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
