/** Every fused op names the page that derives its gradient; the pages name files that are there, and definitions that are. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { composed } from '../src/tensor/composed.ts';
import { fused } from '../src/tensor/ops/index.ts';

const ROOT = join(import.meta.dirname, '..');
const OPS = 'src/tensor/ops';
const PAGES = 'docs/derivations';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const files = readdirSync(join(ROOT, OPS)).filter((name) => /^\w+\.ts$/.test(name));

/** Heads of the files that say what an op is, by the op's name. */
function headOf(op: string): string {
  const file = files.find((name) =>
    new RegExp(`^export const ${op}\\b.*: Op<`, 'm').test(read(`${OPS}/${name}`)),
  );
  const text = file === undefined ? '' : read(`${OPS}/${file}`);
  return text.slice(0, text.indexOf('*/'));
}

const pages = readdirSync(join(ROOT, PAGES));
const pageOf = (op: string): string | undefined => /docs\/derivations\/(\w+\.md)/.exec(headOf(op))?.[1];

describe('derivations', () => {
  it.each(Object.keys(fused))('of %s: its file names the page, and the definition in composed.ts', (op) => {
    expect(pages).toContain(pageOf(op));
    expect(headOf(op)).toMatch(new RegExp(`Written out:[^.]*\`${op}\``));
    expect(composed).toHaveProperty(op);
  });

  it.each(pages)(
    '%s is some op’s page, and names the op, its definition and files that are there',
    (page) => {
      const ops = Object.keys(fused).filter((op) => pageOf(op) === page);
      expect(ops).not.toEqual([]);
      const text = read(`${PAGES}/${page}`);
      const paths = [...text.matchAll(/`((?:src|docs)\/[\w./]+\.\w+)`/g)].map(([, path]) => path);
      expect(paths).toEqual(expect.arrayContaining(['src/tensor/composed.ts', expect.stringContaining(OPS)]));
      expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
      for (const op of ops) expect(text).toContain(`\`${op}\``);
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path);
      expect(links.filter((path) => !existsSync(join(ROOT, PAGES, path)))).toEqual([]);
    },
  );
});
