/**
 * The summary of the report page: a line for each section, a column for each kind of check, and in each place how many
 * rows are OK and how float32 errors stand beside PyTorch's own. A count leads to its rows, a red one to those not OK.
 */

import { escapeHtml, formatCount, formatPercent, formatRatio } from './page/text.ts';
import { hashOf, type View } from './page/view.ts';
import { CHECKS, type CheckSummary, type ReportSummary, type SectionSummary } from './report.ts';

const ALL: View = {
  words: '',
  section: null,
  backend: null,
  dtype: null,
  check: null,
  status: null,
  worse: false,
  sort: null,
  descending: false,
};

export function summaryTable({ sections }: ReportSummary): string {
  const checks = CHECKS.filter((check) => sections.some((of) => of.checks.some((c) => c.check === check)));
  const head = [
    '<th scope="col">section</th><th scope="col">backend</th><th scope="col" class="number">OK/rows</th>',
    ...checks.map((check) => `<th scope="col" class="number">${check}</th>`),
    '<th scope="col" class="number">worse than<br>2 × PyTorch</th>',
    '<th scope="col">most of its allowance used</th>',
  ];
  const lines = sections.map((of) => {
    const cells = checks.map((check) =>
      checkCell(
        of,
        of.checks.find((c) => c.check === check),
      ),
    );
    const { title, backend, dtype, seconds } = of.section;
    return (
      `<tr><th scope="row">${escapeHtml(title)}</th>` +
      `<td>${escapeHtml(backend === '' ? '–' : backend)}<small>${escapeHtml(dtype)}</small></td>` +
      `<td class="number">${okCount(of, viewOfSection(of))}<small>${seconds.toFixed(1)} s</small></td>` +
      `${cells.join('')}${worseCell(of)}${worstCell(of)}</tr>`
    );
  });
  const total = sections.reduce((n, { section }) => n + section.seconds, 0);
  const [ok, rows] = [sections.reduce((n, of) => n + of.ok, 0), sections.reduce((n, of) => n + of.rows, 0)];
  const foot =
    `<tr><th scope="row" colspan="2">together</th>` +
    `<td class="number">${okCount({ ok, rows }, ALL)}<small>${total.toFixed(1)} s</small></td>` +
    `<td colspan="${checks.length + 2}"></td></tr>`;
  const explained = sections.some((of) => of.checks.some(({ torch }) => torch !== null))
    ? '<p class="soft">Beneath a count of float32 rows: median, 90th percentile and largest error over PyTorch’s own float32 error. ' +
      '“Worse than 2 × PyTorch” counts rows that are also more than 2 units in the last place off.</p>'
    : '';
  return (
    `${explained}<div class="scroll"><table class="summary"><thead><tr>${head.join('')}</tr></thead>` +
    `<tbody>${lines.join('\n')}</tbody><tfoot>${foot}</tfoot></table></div>`
  );
}

const viewOfSection = ({ section: { title, backend, dtype } }: SectionSummary): View => ({
  ...ALL,
  section: title,
  backend,
  dtype,
});

const link = (view: View, text: string, kind = ''): string =>
  `<a href="${escapeHtml(hashOf(view) || '#rows')}"${kind === '' ? '' : ` class="${kind}"`}>${text}</a>`;

function okCount({ ok, rows }: { readonly ok: number; readonly rows: number }, view: View): string {
  if (rows === 0) return '<span class="bad">none</span>';
  const text = `${formatCount(ok)}/${formatCount(rows)}`;
  return ok === rows ? link(view, text) : link({ ...view, status: 'not OK' }, text, 'bad');
}

function checkCell(of: SectionSummary, summary: CheckSummary | undefined): string {
  if (summary === undefined) return '<td></td>';
  const { torch, check } = summary;
  const figures =
    torch === null || torch.median === null
      ? ''
      : `<small title="median, 90th percentile, largest of ${formatCount(torch.counted)} rows">` +
        `${[torch.median, torch.p90, torch.max].map((x) => formatRatio(x, 2)).join(' · ')}</small>`;
  return `<td class="number">${okCount(summary, { ...viewOfSection(of), check })}${figures}</td>`;
}

function worseCell(of: SectionSummary): string {
  const known = of.checks.flatMap(({ torch }) => (torch === null ? [] : [torch]));
  if (known.length === 0) return '<td></td>';
  const n = known.reduce((sum, { worse }) => sum + worse.length, 0);
  const shown = n === 0 ? '0' : link({ ...viewOfSection(of), worse: true }, formatCount(n));
  return `<td class="number">${shown}</td>`;
}

function worstCell({ checks }: SectionSummary): string {
  if (checks.length === 0) return '<td></td>';
  const { name, used } = checks.map(({ worst }) => worst).reduce((a, b) => (b.used > a.used ? b : a));
  if (used === 0) return '<td class="worst">0 %</td>';
  const kind = used > 1 ? ' class="bad"' : '';
  return `<td class="worst"><span${kind}>${formatPercent(used)} %</span><small title="${escapeHtml(name)}">${escapeHtml(name)}</small></td>`;
}
