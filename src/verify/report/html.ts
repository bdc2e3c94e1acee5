/**
 * A report as one HTML file that opens from disk: verdict, summary and histograms as they are, and all rows as data with
 * a small script that filters and sorts them. It loads nothing; its Content-Security-Policy forbids it.
 */
import { packReport, scriptJson } from './data.ts';
import { histogramFigure } from './histogram.ts';
import { PAGE_SCRIPT } from './page/generated.ts';
import { escapeHtml, formatCount } from './page/text.ts';
import {
  isRatioCounted,
  median,
  type Report,
  type ReportSummary,
  summarizeReport,
  torchRatio,
} from './report.ts';
import { STYLE } from './style.ts';
import { summaryTable } from './summary.ts';
import { rowsSection } from './table.ts';

export function reportHtml(report: Report): string {
  const summary = summarizeReport(report);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${escapeHtml(report.title)}: ${summary.ok ? 'OK' : 'not OK'}</title>
<style>${STYLE}</style>
</head>
<body>
${header(report, summary)}
<main>
<h2>Summary</h2>
${summaryTable(summary)}
${faults(report)}
${figures(report)}
${rowsSection(report)}
</main>
<script type="application/json" id="report">${scriptJson(packReport(report))}</script>
<script>
${PAGE_SCRIPT}
</script>
</body>
</html>
`;
}

function header({ title, made, machine, versions }: Report, summary: ReportSummary): string {
  const { ok, rows, okRows, sections } = summary;
  const empty = sections.filter((section) => section.rows === 0).length;
  const checks = `${formatCount(rows)} ${rows === 1 ? 'check' : 'checks'}`;
  const counted =
    okRows === rows ? `all ${checks} passed` : `${formatCount(rows - okRows)} of ${checks} failed`;
  const said = [
    rows === 0 ? 'nothing was checked' : counted,
    ...(empty === 0 ? [] : [`${empty} of ${sections.length} sections without any row`]),
  ];
  const facts = [
    ['made', made],
    ['machine', machine],
    [
      'versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(' · '),
    ],
  ].filter(([, value]) => value !== '');
  return `<header>
<h1>${escapeHtml(title)}</h1>
<p class="verdict ${ok ? 'good' : 'bad'}" id="verdict"><strong>${ok ? 'OK' : 'NOT OK'}</strong>: ${said.join('; ')}</p>
<dl class="facts">${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
</header>`;
}

/** As many as are read without filters. */
const FAULTS_LISTED = 10;

function faults({ sections }: Report): string {
  const wrong = sections.flatMap((section) =>
    section.rows.filter(({ status }) => status !== 'OK').map((row) => ({ row, section })),
  );
  if (wrong.length === 0) return '';
  const items = wrong.slice(0, FAULTS_LISTED).map(({ row, section: { title, backend, dtype } }) => {
    const place = [title, backend, dtype, row.check].filter((word) => word !== '').join(' · ');
    const name = row.name.startsWith(row.of) ? row.name : `${row.of}: ${row.name}`;
    return `<li><b>${row.status}</b> ${escapeHtml(name)} <span class="soft">${escapeHtml(place)}</span><span class="note">${escapeHtml(row.note)}</span></li>`;
  });
  const rest = wrong.length - items.length;
  const more =
    rest === 0
      ? ''
      : `<p><a href="#status=not+OK">All ${formatCount(wrong.length)} rows that are not OK</a></p>`;
  return `<h2>Not OK</h2>\n<ul class="faults">${items.join('\n')}</ul>${more}`;
}

/** One histogram for each backend that has float32 rows beside PyTorch's error. */
function figures({ sections }: Report): string {
  const backends = new Map<string, { ratios: number[]; without: number }>();
  for (const { backend, dtype, rows } of sections) {
    for (const row of rows) {
      const ratio = torchRatio(row, dtype);
      if (ratio === null) continue;
      const of = backends.get(backend) ?? { ratios: [], without: 0 };
      backends.set(backend, of);
      if (isRatioCounted(row)) of.ratios.push(ratio);
      else of.without++;
    }
  }
  const drawn = [...backends].filter(([, { ratios }]) => ratios.length > 0);
  if (drawn.length === 0) return '';
  const pictures = drawn.map(([backend, { ratios }]) =>
    histogramFigure(backend === '' ? 'no backend' : backend, ratios, median(ratios)),
  );
  const without = [...backends.values()].reduce((n, of) => n + of.without, 0);
  const left = without === 0 ? '' : ` ${formatCount(without)} rows are left out: PyTorch is exact there.`;
  return `<h2>Float32 errors beside PyTorch’s own</h2>
<p class="soft">The largest error of each row over that of PyTorch’s own float32 run, both against the float64 truth.${left}
Beyond ×2 a result is still OK where it is within 2 units in the last place.</p>
<div class="figures">${pictures.join('\n')}</div>`;
}
