/**
 * The script of the report page: the filters, the order and the table of rows, drawn as far as one has scrolled. build.mjs
 * makes one text of it and of what it imports, which html.ts puts into the page; nothing else imports it. Everything of a
 * report reaches the document as text, never as HTML.
 */
import { type PackedReport, type PageRow, unpackRows } from './packed.ts';
import { formatCount, formatError, formatPercent, formatRatio } from './text.ts';
import { COLUMN_KEYS, type ColumnKey, csvOf, hashOf, selectRows, type View, viewOf } from './view.ts';

/** Rows that are drawn at once. */
const CHUNK = 200;

const find = <T extends Element>(selector: string): T => {
  const element = document.querySelector<T>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
};
const form = find<HTMLFormElement>('#filters');
const words = find<HTMLInputElement>('[name=words]');
const worse = find<HTMLInputElement>('[name=worse]');
const box = find<HTMLDivElement>('#box');
const body = find<HTMLTableSectionElement>('#box tbody');
const count = find<HTMLElement>('#count');
const drawn = find<HTMLElement>('#drawn');
const drawAll = find<HTMLButtonElement>('#draw-all');
const heads = [...document.querySelectorAll<HTMLElement>('#box th[data-key]')];
const choices = ['section', 'backend', 'dtype', 'check', 'status'] as const;
const selectOf = (name: string) => find<HTMLSelectElement>(`select[name=${name}]`);

const rows = unpackRows(JSON.parse(find('#report').textContent) as PackedReport);
let view = viewOf(location.hash);
let shown: PageRow[] = [];
let next = 0;

function cellOf(row: PageRow, key: ColumnKey): HTMLTableCellElement {
  const cell = document.createElement('td');
  const texts: Partial<Record<ColumnKey, string>> = {
    error: `${row.mean ? 'mean ' : ''}${formatError(row.error)}`,
    torchError: formatError(row.torchError),
    ratio: formatRatio(row.ratio),
    ulps: formatRatio(row.ulps),
    used: formatPercent(row.used),
  };
  const number = texts[key];
  cell.textContent = number ?? String(row[key] ?? '');
  if (number !== undefined) cell.className = 'number';
  if (key === 'of') cell.className = 'of';
  if (key === 'error' && row.error !== null) cell.title = `${row.error}, allowed ${row.allowed}`;
  if (key === 'torchError' && row.torchError !== null) cell.title = String(row.torchError);
  if (key === 'ratio' && row.worse) cell.classList.add('far-off');
  return cell;
}

function draw(until: number): void {
  const fragment = document.createDocumentFragment();
  for (; next < Math.min(until, shown.length); next++) {
    const row = shown[next];
    const line = document.createElement('tr');
    if (row.status !== 'OK') line.classList.add('wrong');
    line.append(...COLUMN_KEYS.map((key) => cellOf(row, key)));
    fragment.append(line);
    if (row.note === '') continue;
    line.classList.add('noted');
    const note = document.createElement('td');
    note.colSpan = COLUMN_KEYS.length;
    const text = document.createElement('span');
    text.textContent = row.note;
    note.append(text);
    const noteLine = document.createElement('tr');
    noteLine.className = 'note';
    noteLine.append(note);
    fragment.append(noteLine);
  }
  if (shown.length === 0) {
    const nothing = document.createElement('td');
    nothing.colSpan = COLUMN_KEYS.length;
    nothing.className = 'nothing';
    nothing.textContent = 'No row is left by these filters.';
    const line = document.createElement('tr');
    line.append(nothing);
    fragment.append(line);
  }
  body.append(fragment);
  const rest = shown.length - next;
  drawn.textContent = rest === 0 ? '' : `${formatCount(next)} drawn, the rest as you scroll`;
  drawAll.hidden = rest === 0;
}

function drawToTheFold(): void {
  while (next < shown.length && box.scrollTop + box.clientHeight > box.scrollHeight - 1000)
    draw(next + CHUNK);
}

function show(): void {
  shown = selectRows(rows, view);
  next = 0;
  body.replaceChildren();
  box.scrollTop = 0;
  draw(CHUNK);
  drawToTheFold();
  const bad = shown.filter(({ status }) => status !== 'OK').length;
  count.textContent = `${formatCount(shown.length)} of ${formatCount(rows.length)} rows, ${bad === 0 ? 'all OK' : `${formatCount(bad)} not OK`}`;
  if (shown.length === 0) count.textContent = `0 of ${formatCount(rows.length)} rows`;
  for (const head of heads) {
    if (head.dataset['key'] !== view.sort) head.removeAttribute('aria-sort');
    else head.setAttribute('aria-sort', view.descending ? 'descending' : 'ascending');
  }
}

/** From the view to the controls. An option's value is "=" and what is chosen; "" is all. */
function fillForm(): void {
  if (words.value.trim() !== view.words) words.value = view.words;
  worse.checked = view.worse;
  for (const name of choices) {
    const select = selectOf(name);
    const value = view[name] === null ? '' : `=${view[name]}`;
    // An address may name what this report does not have.
    if (![...select.options].some((option) => option.value === value))
      select.add(new Option(`${view[name]} (0)`, value));
    select.value = value;
  }
}

function readForm(): View {
  const choice = (name: string) => {
    const { value } = selectOf(name);
    return value === '' ? null : value.slice(1);
  };
  return {
    ...view,
    words: words.value,
    worse: worse.checked,
    section: choice('section'),
    backend: choice('backend'),
    dtype: choice('dtype'),
    check: choice('check'),
    status: choice('status'),
  };
}

function change(to: View): void {
  view = to;
  history.replaceState(null, '', hashOf(view) || location.pathname + location.search);
  show();
}

/** Numbers: largest first, then smallest first. Texts: the other way round. Then the order of the report. */
function sortBy(key: ColumnKey, largestFirst: boolean): void {
  if (view.sort !== key) change({ ...view, sort: key, descending: largestFirst });
  else if (view.descending === largestFirst) change({ ...view, descending: !largestFirst });
  else change({ ...view, sort: null, descending: false });
}

form.addEventListener('input', () => change(readForm()));
form.addEventListener('submit', (event) => event.preventDefault());
find('#clear').addEventListener('click', () => {
  change(viewOf(''));
  fillForm();
});
for (const head of heads) {
  const key = COLUMN_KEYS.find((column) => column === head.dataset['key']);
  if (key === undefined) continue;
  head
    .querySelector('button')
    ?.addEventListener('click', () => sortBy(key, head.classList.contains('number')));
}
box.addEventListener('scroll', drawToTheFold, { passive: true });
window.addEventListener('resize', drawToTheFold);
drawAll.addEventListener('click', () => draw(shown.length));
find('#save').addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([csvOf(shown)], { type: 'text/csv' }));
  link.download = 'rows.csv';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
});
document.addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLElement && event.target.matches('input, select');
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  words.focus();
});

function followAddress(): void {
  view = viewOf(location.hash);
  fillForm();
  show();
  if (location.hash !== '') find('#rows').scrollIntoView();
}
window.addEventListener('hashchange', followAddress);
form.hidden = false;
find<HTMLElement>('#table').hidden = false;
followAddress();
