/** The report page in headless Chromium, opened from disk without a network. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { judge } from '../../src/verify/judge.ts';
import { reportHtml } from '../../src/verify/report/html.ts';
import type { Report } from '../../src/verify/report/report.ts';
import type { Check, Row } from '../../src/verify/row.ts';
import { hasSandbox } from './chromium.mjs';

const HOSTILE = '</script><img src=x onerror="document.title=1"><b>& \u2028';

/** Exact in binary, so that 200 of them are twice 100 of them. */
const STEP = 2 ** -30;

/** Row i is off by i/100 of PyTorch's own error; every 50th of them is a gradient. */
function rowsOf(of: string, count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `${of} ${i}`,
    of,
    check: (i % 50 === 0 ? 'gradient' : 'value') satisfies Check,
    shape: [2, i],
    error: i * STEP,
    mean: 0,
    torchError: 100 * STEP,
    ulps: i / 50,
    allowed: 200 * STEP,
    used: i / 200,
    status: i > 200 ? 'DIFF' : 'OK',
    measure: 'max',
    note: i > 200 ? `${i} of 999 elements differ` : '',
  }));
}

const MANY = 3000;

const REPORT: Report = {
  title: `Report ${HOSTILE}`,
  made: '2025-05-01T12:00:00Z',
  machine: 'a processor',
  versions: { torch: '1.13.1' },
  sections: [
    { title: 'ops', backend: 'wasm', dtype: 'float32', seconds: 1, rows: rowsOf('matmul', 301) },
    { title: 'ops', backend: 'gpujs', dtype: 'float32', seconds: 1, rows: rowsOf('softmax', 101) },
    {
      title: 'properties',
      backend: '',
      dtype: '',
      seconds: 1,
      rows: [
        judge({ subject: { name: HOSTILE, of: 'cogvlm', check: 'property' }, broken: HOSTILE }),
        ...Array.from({ length: MANY }, (_, i) =>
          judge({ subject: { name: `p${i}`, of: 'cogvlm', check: 'property' }, broken: null }),
        ),
      ],
    },
  ],
};

const ALL = 301 + 101 + 1 + MANY;

let browser: Browser;
let folder: string;
let url: string;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: inject('chromium'), chromiumSandbox: hasSandbox() });
  folder = await mkdtemp(join(tmpdir(), 'cogvlm-report-'));
  await writeFile(join(folder, 'report.html'), reportHtml(REPORT));
  url = pathToFileURL(join(folder, 'report.html')).href;
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

describe('report page', () => {
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];
  let asked: string[];

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, offline: true });
    page = await context.newPage();
    complaints = [];
    asked = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
    page.on('request', (request) => asked.push(request.url()));
  });
  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
    const others = asked.filter((address) => !address.startsWith(url) && !address.startsWith('blob:'));
    expect(others).toEqual([]);
  });

  const count = () => page.locator('#count').textContent();
  const hash = () => page.evaluate(() => decodeURIComponent(location.hash));
  /** A column of the rows that are drawn; notes have lines of their own. */
  const column = (name: string): Promise<string[]> =>
    page.evaluate((wanted) => {
      const keys = [...document.querySelectorAll<HTMLElement>('#box th')].map((th) => th.dataset['key']);
      const lines = [...document.querySelectorAll<HTMLTableRowElement>('#box tbody tr:not(.note)')];
      return lines.map((line) => line.cells[keys.indexOf(wanted)].textContent ?? '');
    }, name);
  const head = (key: string) => page.locator(`#box th[data-key=${key}] button`);

  it('draws the first rows, and the rest as one scrolls or asks', async () => {
    await page.goto(url);
    expect(await count()).toBe(
      `${ALL.toLocaleString('en-US')} of ${ALL.toLocaleString('en-US')} rows, 101 not OK`,
    );
    const first = (await column('name')).length;
    expect(first).toBeLessThan(1000);
    await page.locator('#box').evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await page.waitForFunction(
      (before) => document.querySelectorAll('#box tbody tr:not(.note)').length > before,
      first,
    );
    await page.locator('#draw-all').click();
    const names = await column('name');
    expect(names).toHaveLength(ALL);
    expect(names.at(-1)).toBe(`p${MANY - 1}`);
    expect(await page.locator('#draw-all').isVisible()).toBe(false);
  });

  it('filters by words and choices, and says so in its address', async () => {
    await page.goto(url);
    await page.locator('[name=words]').fill('MATMUL 10 -elements');
    expect(await column('name')).toEqual([
      'matmul 10',
      ...Array.from({ length: 10 }, (_, i) => `matmul ${100 + i}`),
      'matmul 110',
    ]);
    expect(await count()).toBe('12 of 3,403 rows, all OK');
    await page.locator('[name=words]').fill('');
    await page.locator('[name=backend]').selectOption({ label: 'gpujs (101)' });
    await page.locator('[name=check]').selectOption({ label: 'gradient (10)' });
    expect(await column('name')).toEqual(['softmax 0', 'softmax 50', 'softmax 100']);
    expect(await hash()).toBe('#backend=gpujs&check=gradient');
    await page.locator('#clear').click();
    expect(await hash()).toBe('');
    expect(await page.locator('[name=backend]').inputValue()).toBe('');
    expect(await count()).toBe('3,403 of 3,403 rows, 101 not OK');
    await page.locator('[name=worse]').check();
    expect(await count()).toBe('100 of 3,403 rows, 100 not OK');
    expect((await column('ratio'))[0]).toBe('2.01');
    await page.locator('[name=backend]').selectOption({ label: 'none (3,001)' });
    expect(await count()).toBe('0 of 3,403 rows');
  });

  it('sorts by a column, the other way, and not', async () => {
    await page.goto(`${url}#words=softmax`);
    await head('error').click();
    expect((await column('error')).slice(0, 3)).toEqual(['9.31e-8', '9.22e-8', '9.13e-8']);
    expect(await page.locator('#box th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
    expect(await hash()).toBe('#words=softmax&sort=-error');
    await head('error').click();
    expect((await column('error')).slice(0, 3)).toEqual(['0', '9.31e-10', '1.86e-9']);
    await head('name').click();
    expect((await column('name')).slice(0, 3)).toEqual(['softmax 0', 'softmax 1', 'softmax 2']);
    await head('name').click();
    expect((await column('name')).slice(0, 2)).toEqual(['softmax 100', 'softmax 99']);
    await head('name').click();
    expect(await page.locator('#box th[aria-sort]').count()).toBe(0);
    expect(await hash()).toBe('#words=softmax');
  });

  it('an address gives the same view again', async () => {
    await page.goto(`${url}#words=matmul&status=not+OK&worse=1&sort=-used`);
    expect((await column('name')).slice(0, 2)).toEqual(['matmul 300', 'matmul 299']);
    expect(await page.locator('[name=words]').inputValue()).toBe('matmul');
    expect(await page.locator('[name=status]').inputValue()).toBe('=not OK');
    expect(await page.locator('[name=worse]').isChecked()).toBe(true);
    expect(await page.locator('#box tr.note').first().textContent()).toBe('300 of 999 elements differ');
    expect(await page.locator('#rows h2').isVisible()).toBe(true);
    await page.reload();
    expect(await count()).toBe('100 of 3,403 rows, 100 not OK');
  });

  it('an address that names what is not there leaves no row, and its choice can be taken back', async () => {
    await page.goto(`${url}#backend=abacus&sort=colour`);
    expect(await count()).toBe('0 of 3,403 rows');
    await page.locator('[name=backend]').selectOption({ label: 'all' });
    expect(await count()).toBe('3,403 of 3,403 rows, 101 not OK');
  });

  it('a count of the summary leads to its rows, and back', async () => {
    await page.goto(url);
    await page.locator('.summary a', { hasText: '3,000/3,001' }).first().click();
    expect(await count()).toBe('1 of 3,403 rows, 1 not OK');
    expect(await column('name')).toEqual([HOSTILE]);
    await page.goBack();
    await page.waitForFunction(() => document.querySelector('#count')?.textContent?.startsWith('3,403'));
  });

  it('is used with the keyboard', async () => {
    await page.goto(url);
    await page.keyboard.press('/');
    await page.keyboard.type('softmax 10');
    expect(await count()).toBe('2 of 3,403 rows, all OK');
    await head('ratio').focus();
    await page.keyboard.press('Enter');
    expect(await column('name')).toEqual(['softmax 100', 'softmax 10']);
    await page.locator('[name=words]').fill('');
    await page.locator('#box').focus();
    await page.keyboard.press('PageDown');
    await page.waitForFunction(() => (document.querySelector('#box')?.scrollTop ?? 0) > 0);
  });

  it('shows hostile texts as texts', async () => {
    await page.goto(`${url}#status=not+OK&section=properties`);
    expect(await page.locator('h1').textContent()).toBe(REPORT.title);
    expect(await page.title()).toBe(`${REPORT.title}: not OK`);
    expect(await page.locator('#box tr.note').textContent()).toBe(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('saves the rows that are left as CSV', async () => {
    await page.goto(`${url}#words=softmax&sort=-error`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('#save').click()]);
    const lines = (await readFile(await download.path(), 'utf8')).split('\r\n');
    expect(lines).toHaveLength(1 + 101 + 1);
    expect(lines[0]).toMatch(/^section,backend,dtype,of,name,/);
    expect(lines[1]).toBe(
      `ops,gpujs,float32,softmax,softmax 100,gradient,"[2,100]",${100 * STEP},${100 * STEP},1,2,0.5,OK,${200 * STEP},false,`,
    );
  });

  it('shows verdict, summary and histograms without a script', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, offline: true });
    const bare = await plain.newPage();
    await bare.goto(url);
    expect(await bare.locator('#verdict').textContent()).toBe('NOT OK: 101 of 3,403 checks failed');
    expect(await bare.locator('.summary tbody tr').count()).toBe(3);
    expect(await bare.locator('svg').count()).toBe(2);
    expect(await bare.locator('noscript').textContent()).toContain('needs JavaScript');
    expect(await bare.locator('#filters').isVisible()).toBe(false);
    await plain.close();
  });

  it.each([320, 700, 1920])('does not overflow a window %i wide', async (width) => {
    await page.setViewportSize({ width, height: 700 });
    await page.goto(url);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
  });
});
