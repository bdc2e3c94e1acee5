/** Where a model is (Node only): a path, or the name of a model that comes with the package. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Three above this file, in `src` as in `dist`. */
const SHIPPED = fileURLToPath(new URL('../../../models/', import.meta.url));

/** Names of the models that come with the package. */
export function shippedModels(): string[] {
  return existsSync(SHIPPED) ? readdirSync(SHIPPED).sort() : [];
}

/**
 * The folder that a path or a name means. A path that exists is that path; else 'first-light' is the package's own model.
 * With a separator it is always a path: './first-light'.
 */
export function modelFolder(pathOrName: string): string {
  const named = !existsSync(pathOrName) && shippedModels().includes(pathOrName);
  return named ? join(SHIPPED, pathOrName) : pathOrName;
}
