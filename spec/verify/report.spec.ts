/** Reports: what their rows come to, against sums by hand, and what survives on the way into the page. */
import { describe, expect, it } from 'vitest';
import { judge } from '../../src/verify/judge.ts';
import { packReport, scriptJson } from '../../src/verify/report/data.ts';
import { histogramFigure, histogramOf, niceStep } from '../../src/verify/report/histogram.ts';
import { reportHtml } from '../../src/verify/report/html.ts';
import { pageScript } from '../../src/verify/report/page/build.mjs';
import { PAGE_SCRIPT } from '../../src/verify/report/page/generated.ts';
import { unpackRows } from '../../src/verify/report/page/packed.ts';
import { escapeHtml, formatError, formatPercent, formatRatio } from '../../src/verify/report/page/text.ts';
import { csvOf, hashOf, selectRows, type View, viewOf } from '../../src/verify/report/page/view.ts';
import {
  isWorseThanTorch,
  median,
  type Report,
  type ReportSection,
  summarizeReport,
  torchRatio,
} from '../../src/verify/report/report.ts';
import type { Row } from '../../src/verify/row.ts';

const { NaN: notANumber, POSITIVE_INFINITY: infinity } = Number;

function row(name: string, changes: Partial<Row> = {}): Row {
  return {
    name,
    of: 'matmul',
    check: 'value',
    shape: [2, 3],
    error: 1e-7,
    mean: 1e-8,
    torchError: 1e-7,
    ulps: 1,
    allowed: 2e-7,
    used: 0.5,
    status: 'OK',
    measure: 'max',
    note: '',
    ...changes,
  };
}

const section = (rows: readonly Row[], changes: Partial<ReportSection> = {}): ReportSection => ({
  title: 'ops',
  backend: 'wasm',
  dtype: 'float32',
  seconds: 1.5,
  rows,
  ...changes,
});

const report = (...sections: ReportSection[]): Report => ({
  title: 'A report',
  made: '2025-05-01T12:00:00Z',
  machine: 'a processor',
  versions: { torch: '1.13.1' },
  sections,
});

describe('torchRatio', () => {
  it.each([
    ['the quotient', row('a', { error: 3e-7, torchError: 2e-7 }), 1.5],
    ['0 where nothing is wrong', row('a', { error: 0 }), 0],
    ['0 where both are exact', row('a', { error: 0, torchError: 0 }), 0],
    ['0 where both are rounding of the truth', row('a', { error: 9e-13, torchError: 1e-13 }), 0],
    ['infinite where PyTorch alone is exact', row('a', { error: 1e-9, torchError: 0 }), infinity],
    ['infinite for an infinite error', row('a', { error: infinity }), infinity],
    ['infinite for NaN', row('a', { error: notANumber }), infinity],
    ['none without a comparison', row('a', { error: null }), null],
    ["none without PyTorch's error", row('a', { torchError: null }), null],
    ["none where PyTorch's error is no number", row('a', { torchError: notANumber }), null],
    ["none where PyTorch's error is infinite", row('a', { torchError: infinity, error: infinity }), null],
    ['none for a mean', row('a', { measure: 'mean' }), null],
  ])('%s', (_, of, expected) => {
    const ratio = torchRatio(of, 'float32');
    if (expected === null || !Number.isFinite(expected)) expect(ratio).toBe(expected);
    else expect(ratio).toBeCloseTo(expected, 12);
  });

  it('is of float32 alone', () => {
    expect(torchRatio(row('a'), 'float64')).toBe(null);
    expect(torchRatio(row('a'), '')).toBe(null);
  });
});

describe('isWorseThanTorch', () => {
  const worse = (error: number, ulps: number | null) =>
    isWorseThanTorch(row('a', { error, torchError: 1, ulps }), 'float32');

  it('takes both: more than twice, and more than 2 units in the last place', () => {
    expect([worse(2, 3), worse(2.1, 2), worse(2.1, 2.1)]).toEqual([false, false, true]);
  });

  it('takes what is not known for the worst', () => {
    expect([worse(3, notANumber), worse(3, null), worse(notANumber, infinity)]).toEqual([true, true, true]);
  });
});

describe('summarizeReport', () => {
  it('counts by section and check, in a fixed order of checks', () => {
    const { ok, rows, okRows, sections } = summarizeReport(
      report(
        section([
          row('g', { check: 'gradient', used: 0.25 }),
          row('v1', { used: 0.1 }),
          row('v2', { used: 0.9 }),
          row('v3', { used: 0.9 }),
        ]),
        section([row('t', { status: 'DIFF', used: 1.5 }), row('u')], { title: 'modules' }),
      ),
    );
    expect({ ok, rows, okRows }).toEqual({ ok: false, rows: 6, okRows: 5 });
    expect(sections.map((of) => [of.section.title, of.ok, of.rows])).toEqual([
      ['ops', 4, 4],
      ['modules', 1, 2],
    ]);
    expect(sections[0].checks.map(({ check, ok, rows, worst }) => [check, ok, rows, worst])).toEqual([
      ['value', 3, 3, { name: 'v2', used: 0.9 }],
      ['gradient', 1, 1, { name: 'g', used: 0.25 }],
    ]);
    expect(sections[1].checks[0].worst).toEqual({ name: 't', used: 1.5 });
  });

  it('takes a used part of NaN for the worst', () => {
    const [of] = summarizeReport(
      report(section([row('a', { used: 7 }), row('b', { used: notANumber })])),
    ).sections;
    expect(of.checks[0].worst).toEqual({ name: 'b', used: infinity });
  });

  it('median, 90th percentile and maximum leave out rows where PyTorch is exact', () => {
    // Ratios 1 … 10 and three that are not counted.
    const rows = Array.from({ length: 10 }, (_, i) => row(`r${i + 1}`, { error: i + 1, torchError: 1 }));
    const exact = [
      row('both exact', { error: 0, torchError: 0 }),
      row('rounding', { error: 5e-13, torchError: 1e-13 }),
      row('PyTorch exact', { error: 1e-6, torchError: 0, ulps: 9 }),
    ];
    const [of] = summarizeReport(report(section([...rows.reverse(), ...exact]))).sections;
    // In `row` every error is 1 ulp off, so that only the last is worse.
    expect(of.checks[0].torch).toEqual({
      rows: 13,
      counted: 10,
      median: 5.5,
      p90: 9,
      max: 10,
      worse: ['PyTorch exact'],
    });
  });

  it('an infinite error is the maximum, not the median', () => {
    const rows = [0.5, infinity, 1, notANumber, 0.25].map((error, i) =>
      row(`r${i}`, { error, torchError: 1 }),
    );
    const { torch } = summarizeReport(report(section(rows))).sections[0].checks[0];
    expect(torch).toMatchObject({ rows: 5, counted: 5, median: 1, p90: infinity, max: infinity });
  });

  it('no ratio, no figures; all exact, no figures of a ratio', () => {
    const torchOf = (rows: readonly Row[], dtype: string) =>
      summarizeReport(report(section(rows, { dtype }))).sections[0].checks[0].torch;
    expect(torchOf([row('a')], 'float64')).toBe(null);
    expect(torchOf([row('a', { torchError: null })], 'float32')).toBe(null);
    expect(torchOf([row('a', { error: 0, torchError: 0 })], 'float32')).toEqual({
      rows: 1,
      counted: 0,
      median: null,
      p90: null,
      max: null,
      worse: [],
    });
  });

  it('is not OK where nothing was checked', () => {
    expect(summarizeReport(report(section([row('a')]))).ok).toBe(true);
    expect(summarizeReport(report(section([row('a')]), section([]))).ok).toBe(false);
    expect(summarizeReport(report())).toEqual({ ok: false, rows: 0, okRows: 0, sections: [] });
  });
});

describe('median', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[1, 2, 9], 2],
    [[1, 2, 4, 9], 3],
  ])('of %j is %j', (sorted, expected) => expect(median(sorted)).toBe(expected));
});

describe('histogram', () => {
  it('puts each ratio in the half octave that ends with it', () => {
    const { zero, below, bins, above } = histogramOf([0, 2 ** -10, 2 ** -9.9, 1, 1.01, 2, 16, 17, infinity]);
    expect([zero, below, above]).toEqual([1, 1, 2]);
    // Bins of half an octave from 2^-10: 1 ends bin 19, 2 ends bin 21, 16 ends bin 27.
    expect(bins.map((n, i) => (n === 0 ? '' : `${i}:${n}`)).filter(Boolean)).toEqual([
      '0:1',
      '19:1',
      '20:1',
      '21:1',
      '27:1',
    ]);
  });

  it('draws one bar for each bin that has rows, orange beyond ×2', () => {
    const svg = histogramFigure('<wasm>', [0, 0.5, 0.5, 2, 2.1], 0.5);
    expect(svg.match(/class="bar"/g)).toHaveLength(3);
    expect(svg.match(/class="bar far"/g)).toHaveLength(1);
    expect(svg).toContain('&lt;wasm&gt;');
    expect(svg).toContain('5 rows · median 0.500 · 60 % ≤ ×1 · 80 % ≤ ×2');
    expect(svg).not.toContain('NaN');
  });

  it.each([
    [1, 1],
    [4, 1],
    [5, 2],
    [8, 2],
    [9, 5],
    [390, 100],
    [401, 200],
  ])('a scale up to %i has steps of %i', (most, step) => expect(niceStep(most)).toBe(step));
});

describe('texts', () => {
  it('numbers', () => {
    expect([1.2345e-7, 0, null, infinity, notANumber].map(formatError)).toEqual([
      '1.23e-7',
      '0',
      '–',
      '∞',
      'NaN',
    ]);
    expect([0.00012, 0.0123, 12.34, 123.4, 12345, infinity, null].map((x) => formatRatio(x))).toEqual([
      '1.2e-4',
      '0.0123',
      '12.3',
      '123',
      '1.2e+4',
      '∞',
      '–',
    ]);
    expect([0, 0.0001, 0.3821, 12.5, 1e6, infinity].map(formatPercent)).toEqual([
      '0',
      '<0.1',
      '38.2',
      '1250.0',
      '1.0e+8',
      '∞',
    ]);
  });

  it('escapes', () => {
    expect(escapeHtml(`<b a="1" b='2'>&amp;`)).toBe('&lt;b a=&quot;1&quot; b=&#39;2&#39;&gt;&amp;amp;');
  });
});

/** What a browser makes of a page's data: the text of the element up to its end tag, parsed. */
function dataOf(html: string) {
  const begin = '<script type="application/json" id="report">';
  const from = html.indexOf(begin) + begin.length;
  return JSON.parse(html.slice(from, html.indexOf('</script', from)));
}

describe('reportHtml', () => {
  const HOSTILE = `</script><script>alert("1")</script><!-- & ' \u2028\u2029 \u0000 ]]> \\`;
  const hostile = report(
    section([row(HOSTILE, { of: HOSTILE, note: HOSTILE, status: 'DIFF', used: 7 })], {
      title: HOSTILE,
      backend: HOSTILE,
    }),
  );
  const html = reportHtml({ ...hostile, title: HOSTILE, machine: HOSTILE, versions: { [HOSTILE]: HOSTILE } });

  it('shows hostile texts as texts', () => {
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html.match(/<\/script/g)).toHaveLength(2);
    expect(html).not.toContain('alert("1")');
    expect(html).not.toContain('<!--');
    expect(html.replace(/<script[\s\S]*/, '')).not.toMatch(/title="[^"]*alert\("/);
  });

  it('keeps them in its data', () => {
    const [read] = unpackRows(dataOf(html));
    expect(read).toMatchObject({ name: HOSTILE, of: HOSTILE, note: HOSTILE, section: HOSTILE });
    expect(scriptJson(HOSTILE)).not.toMatch(/[<>\u2028\u2029]/);
  });

  it('keeps NaN and the infinities', () => {
    const rows = [
      row('a', { error: infinity, used: infinity, ulps: infinity, allowed: infinity }),
      row('b', { error: notANumber, torchError: Number.NEGATIVE_INFINITY, used: notANumber }),
      row('c', { error: 0.1 + 0.2, torchError: 5e-324, ulps: null }),
    ];
    const read = unpackRows(dataOf(reportHtml(report(section(rows)))));
    expect(read.map(({ error }) => error)).toEqual([infinity, notANumber, 0.1 + 0.2]);
    expect(read.map(({ used }) => used)).toEqual([infinity, notANumber, 0.5]);
    expect(read.map(({ ulps }) => ulps)).toEqual([infinity, 1, null]);
    expect(read.map(({ torchError }) => torchError)).toEqual([1e-7, Number.NEGATIVE_INFINITY, 5e-324]);
    expect(read[0].allowed).toBe(infinity);
  });

  it('holds every row with its place', () => {
    const rows = [
      row('a'),
      row('b', { check: 'gradient', shape: [], measure: 'mean' }),
      judge({ subject: { name: 'c', of: 'model', check: 'property' }, broken: 'broken' }),
    ];
    const read = unpackRows(dataOf(reportHtml(report(section(rows), section([row('d')], { backend: '' })))));
    expect(
      read.map(({ name, backend, check, shape, mean, status }) => [
        name,
        backend,
        check,
        shape,
        mean,
        status,
      ]),
    ).toEqual([
      ['a', 'wasm', 'value', '[2,3]', false, 'OK'],
      ['b', 'wasm', 'gradient', '[]', true, 'OK'],
      ['c', 'wasm', 'property', '', false, 'DIFF'],
      ['d', '', 'value', '[2,3]', false, 'OK'],
    ]);
  });

  it('loads nothing', () => {
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/\s(src|href)="(?!#)/);
    expect(html).not.toMatch(/url\(|@import|\bimport\s*\(|\bfetch\(/);
  });

  it('says the verdict without a script', () => {
    const verdict = (of: Report) =>
      /id="verdict"><strong>([^<]*)<\/strong>: ([^<]*)/.exec(reportHtml(of))?.slice(1);
    expect(verdict(report(section([row('a'), row('b')])))).toEqual(['OK', 'all 2 checks passed']);
    expect(verdict(report(section([row('a'), row('b', { status: 'DIFF' })])))).toEqual([
      'NOT OK',
      '1 of 2 checks failed',
    ]);
    expect(verdict(report(section([row('a')]), section([])))).toEqual([
      'NOT OK',
      'all 1 check passed; 1 of 2 sections without any row',
    ]);
    expect(verdict(report())).toEqual(['NOT OK', 'nothing was checked']);
  });

  it('its script is what the build makes of its source now, and stands alone', async () => {
    const script = html.slice(
      html.lastIndexOf('<script>') + '<script>'.length,
      html.lastIndexOf('</script>'),
    );
    expect(script.trim()).toBe(PAGE_SCRIPT);
    expect(PAGE_SCRIPT, 'npm run build:page').toBe(await pageScript());
    expect(() => new Function(script)).not.toThrow();
  });
});

describe('views', () => {
  const ALL = viewOf('');
  const rows = unpackRows(
    packReport(
      report(
        section([
          row('big', { shape: [10, 10], error: 5e-7, ulps: 5, status: 'DIFF', note: 'seven of 100' }),
          row('softmax dim=-1', { of: 'softmax', error: 0, check: 'gradient' }),
          row('lost', { error: null, ulps: null, status: 'MISSING' }),
        ]),
        section([row('plain', { of: 'Softmax', shape: [5], error: notANumber })], {
          backend: '',
          dtype: 'float64',
          title: 'modules',
        }),
      ),
    ),
  );
  const names = (changes: Partial<View>) => selectRows(rows, { ...ALL, ...changes }).map(({ name }) => name);

  it('filters', () => {
    expect(names({})).toEqual(['big', 'softmax dim=-1', 'lost', 'plain']);
    expect(names({ words: 'SOFTMAX' })).toEqual(['softmax dim=-1', 'plain']);
    expect(names({ words: ' softmax  float64 ' })).toEqual(['plain']);
    expect(names({ words: 'seven' })).toEqual(['big']);
    expect(names({ words: 'dim=-1' })).toEqual(['softmax dim=-1']);
    expect(names({ words: '-1' })).toEqual(['softmax dim=-1']);
    expect(names({ words: '-softmax -lost' })).toEqual(['big']);
    expect(names({ backend: '' })).toEqual(['plain']);
    expect(names({ backend: 'wasm', check: 'value' })).toEqual(['big', 'lost']);
    expect(names({ section: 'modules' })).toEqual(['plain']);
    expect(names({ dtype: 'float64' })).toEqual(['plain']);
    expect(names({ status: 'not OK' })).toEqual(['big', 'lost']);
    expect(names({ status: 'MISSING' })).toEqual(['lost']);
    expect(names({ worse: true })).toEqual(['big']);
    expect(names({ section: 'nowhere' })).toEqual([]);
  });

  it('sorts, nothing known last', () => {
    expect(names({ sort: 'error' })).toEqual(['softmax dim=-1', 'big', 'plain', 'lost']);
    expect(names({ sort: 'error', descending: true })).toEqual(['plain', 'big', 'softmax dim=-1', 'lost']);
    expect(names({ sort: 'shape' })).toEqual(['plain', 'softmax dim=-1', 'lost', 'big']);
    expect(names({ sort: 'name', descending: true })).toEqual(['softmax dim=-1', 'plain', 'lost', 'big']);
    expect(names({ sort: 'ratio', descending: true })).toEqual(['big', 'softmax dim=-1', 'lost', 'plain']);
  });

  it('stand in an address and come back', () => {
    const view: View = {
      words: 'a&b #c ≡',
      section: 'planted faults',
      backend: '',
      dtype: 'float32',
      check: 'error text',
      status: 'not OK',
      worse: true,
      sort: 'ratio',
      descending: true,
    };
    expect(viewOf(hashOf(view))).toEqual(view);
    expect(hashOf(ALL)).toBe('');
    expect(viewOf('#rows')).toEqual(ALL);
    expect(viewOf('#sort=-nothing').sort).toBe(null);
  });

  it('are saved as CSV', () => {
    const [big] = selectRows(rows, { ...ALL, words: 'big' });
    const csv = csvOf([{ ...big, note: 'a "b", c\nd' }], ['name', 'shape', 'error']);
    expect(csv).toBe(
      'name,shape,error,allowed,mean,note\r\nbig,"[10,10]",5e-7,2e-7,false,"a ""b"", c\nd"\r\n',
    );
  });

  it('hold no text that a spreadsheet would run as a formula', () => {
    const [big] = selectRows(rows, { ...ALL, words: 'big' });
    const saved = (name: string) => csvOf([{ ...big, name, error: -1 }], ['name', 'error']).split('\r\n')[1];
    expect(saved('=1+1')).toMatch(/^'=1\+1,-1,/);
    expect(saved('@SUM(A1,A2)')).toMatch(/^"'@SUM\(A1,A2\)",-1,/);
    for (const name of ['+1', '-1', '\t=1']) expect(saved(name).startsWith(`'${name},`)).toBe(true);
    expect(saved('a=1')).toMatch(/^a=1,/);
  });
});
