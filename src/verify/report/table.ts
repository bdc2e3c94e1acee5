/** The last part of the report page: filters and the table of all rows, both empty until the page's script fills them. */

import { escapeHtml, formatCount } from './page/text.ts';
import { COLUMN_KEYS, type ColumnKey } from './page/view.ts';
import { CHECKS, type Report } from './report.ts';

interface Column {
  readonly label: string;
  readonly hint?: string;
  /** Parts of the table's width. */
  readonly width: number;
  readonly numeric?: true;
}

const COLUMNS: Readonly<Record<ColumnKey, Column>> = {
  section: { label: 'section', width: 9 },
  backend: { label: 'backend', width: 8 },
  dtype: { label: 'dtype', width: 7 },
  of: { label: 'op or module', width: 14 },
  name: { label: 'name', width: 26 },
  check: { label: 'check', width: 8 },
  shape: { label: 'shape', width: 9, hint: 'of the truth; sorted by the number of elements' },
  error: { label: 'error', width: 9, numeric: true, hint: 'largest absolute error against the truth' },
  torchError: {
    label: 'PyTorch’s',
    width: 8,
    numeric: true,
    hint: 'largest absolute error of PyTorch’s own float32 run',
  },
  ratio: { label: '× PyTorch', width: 8, numeric: true, hint: 'error over PyTorch’s; float32 rows' },
  ulps: {
    label: 'ulps',
    width: 6,
    numeric: true,
    hint: 'largest error in units in the last place of float32',
  },
  used: {
    label: '% of allowed',
    width: 9,
    numeric: true,
    hint: 'largest part of its allowance that an element uses',
  },
  status: { label: 'status', width: 7 },
};

export function rowsSection({ sections }: Report): string {
  const total = Object.values(COLUMNS).reduce((n, { width }) => n + width, 0);
  const widths = COLUMN_KEYS.map(
    (key) => `<col style="width:${((100 * COLUMNS[key].width) / total).toFixed(2)}%">`,
  );
  const heads = COLUMN_KEYS.map((key) => {
    const { label, hint = '', numeric } = COLUMNS[key];
    const title = hint === '' ? '' : ` title="${hint}"`;
    const kind = numeric ? ' class="number"' : '';
    return `<th scope="col" data-key="${key}"${kind}><button type="button"${title}>${label}</button></th>`;
  });
  const rows = sections.flatMap((section) => section.rows.map((row) => ({ row, section })));
  const sectionValues = (of: 'title' | 'backend' | 'dtype') => rows.map(({ section }) => section[of]);
  const checks = rows.map(({ row }) => row.check).sort((a, b) => CHECKS.indexOf(a) - CHECKS.indexOf(b));
  const statuses = rows.map(({ row }) => row.status);
  const wrong = statuses.filter((status) => status !== 'OK').length;
  const notOk = wrong === 0 ? [] : [option('not OK', wrong)];
  return `<section id="rows">
<h2>All rows</h2>
<noscript><p>The rows are here as data; showing them needs JavaScript. The summary above does not.</p></noscript>
<form id="filters" role="search" hidden>
<label class="words">search <input type="search" name="words" placeholder="all of these words, -not this" autocomplete="off" spellcheck="false" title="press / to come here"></label>
${choice('section', options(sectionValues('title')))}
${choice('backend', options(sectionValues('backend')))}
${choice('dtype', options(sectionValues('dtype')))}
${choice('check', options(checks))}
${choice('status', [...notOk, ...options(statuses)])}
<label class="tick"><input type="checkbox" name="worse"> only worse than 2 × PyTorch and 2 ulps</label>
</form>
<div id="table" hidden>
<p class="counts"><b id="count" role="status"></b> <span><button type="button" id="clear">Clear</button> <button type="button" id="save">Save these rows as CSV</button></span> <span class="more soft"><span id="drawn"></span> <button type="button" id="draw-all" title="for the browser’s own search; many rows take seconds" hidden>Draw all</button></span></p>
<div class="box" id="box" tabindex="0" role="region" aria-label="rows">
<table><colgroup>${widths.join('')}</colgroup><thead><tr>${heads.join('')}</tr></thead><tbody></tbody></table>
</div>
</div>
</section>`;
}

const choice = (name: string, of: readonly string[]): string =>
  `<label>${name} <select name="${name}"><option value="">all</option>${of.join('')}</select></label>`;

const option = (value: string, n: number): string =>
  `<option value="=${escapeHtml(value)}">${escapeHtml(value === '' ? 'none' : value)} (${formatCount(n)})</option>`;

/** Each value with how many rows have it. */
function options(values: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, n]) => option(value, n));
}
