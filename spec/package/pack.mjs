/** The package as npm would publish it, of declarations and code that were just built. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** Runs a program of node_modules; what it prints is shown where it fails. */
export function tool(name, args, cwd = ROOT) {
  execFileSync(process.execPath, [join(ROOT, 'node_modules', name), ...args], { cwd, stdio: 'pipe' });
}

/** @returns the tarball in `folder`, and the paths of the files in it */
export function pack(folder) {
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true }); // what sources no longer have must not be published
  tool('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const told = JSON.parse(execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' }));
  const [{ filename, files, size }] = Array.isArray(told) ? told : Object.values(told);
  return { tarball: join(folder, filename), files: files.map(({ path }) => path), bytes: size };
}
