/** What npm would publish is in order for npm, bundlers and compilers; `npm run test:package` also installs and uses it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { check } from './check.mjs';
import { pack } from './pack.mjs';

it('publint, attw, links and maps find nothing wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    const packed = pack(folder);
    check(packed);
    expect(packed.files).toContain('dist/index.js');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
