/** The library in headless Chromium: the specs of page/, one page for each setting. */
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  it,
  type TestContext,
} from 'vitest';
import { createWasmBackend } from '../../src/kernels/wasm/index.ts';
import { collectAnswer } from '../../src/models/cogvlm/index.ts';
import { loadPretrained } from '../../src/models/cogvlm/node.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { hasSandbox, SOFTWARE_FLAGS } from './chromium.mjs';
import { CAPTIONS, MODEL, PICTURES } from './page/captions.ts';
import type { Setting, SpecResult } from './page/spec.ts';
import { specId, specsOf } from './page/specs.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of server.mjs. */
    origin: string;
    /** Path of the browser. */
    chromium: string;
  }
}

const PATHS: Readonly<Record<Setting, string>> = {
  isolated: '/isolated/plain/',
  open: '/open/plain/',
  minified: '/isolated/minified/',
};

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: inject('chromium'),
    chromiumSandbox: hasSandbox(),
    args: [...SOFTWARE_FLAGS],
  });
});
afterAll(() => browser.close());

const ROOT = join(import.meta.dirname, '../..');

async function captionsInNode(): Promise<string[]> {
  await setBackend(createWasmBackend());
  const cogvlm = await loadPretrained(join(ROOT, MODEL));
  const texts: string[] = [];
  for (const picture of PICTURES) {
    texts.push((await collectAnswer(cogvlm.caption(await readFile(join(ROOT, picture))))).text);
  }
  return texts;
}

describe.each(Object.keys(PATHS) as Setting[])('%s', (setting) => {
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
    page.on('crash', () => complaints.push('the page crashed'));
    complaints = [];
    await page.goto(inject('origin') + PATHS[setting]);
  });
  afterAll(() => page.close());

  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      const path = join(await mkdtemp(join(tmpdir(), 'cogvlm-browser-')), `${setting}.png`);
      await page.screenshot({ path, fullPage: true });
      console.error(`screenshot: ${path}`);
    });
  });

  /** Errors on the console and uncaught exceptions, of workers too. */
  afterEach(() => expect(complaints.splice(0)).toEqual([]));

  async function run(id: string, { skip, annotate }: TestContext): Promise<SpecResult> {
    const result = await page.evaluate((wanted) => window.runSpec(wanted), id);
    if (result.status === 'skipped') skip(result.text);
    expect(result.status, result.text).toBe('passed');
    await annotate(`${result.seconds.toFixed(1)} s: ${result.text}`);
    return result;
  }

  for (const spec of specsOf(setting)) {
    it(specId(spec), async (context) => {
      const { text } = await run(specId(spec), context);
      if (spec === CAPTIONS) expect(JSON.parse(text.split('\n')[0])).toEqual(await captionsInNode());
    });
  }
});
