/**
 * What a reader of the report page has chosen: filters and order, as they stand in the address behind "#", and what they
 * leave of the rows.
 */
import type { PageRow } from './packed.ts';

export const COLUMN_KEYS = [
  'section',
  'backend',
  'dtype',
  'of',
  'name',
  'check',
  'shape',
  'error',
  'torchError',
  'ratio',
  'ulps',
  'used',
  'status',
] as const;

export type ColumnKey = (typeof COLUMN_KEYS)[number];

export interface View {
  /** Words that must all be found; those after "-" must not. */
  readonly words: string;
  /** Null: all. '' is a value like others. */
  readonly section: string | null;
  readonly backend: string | null;
  readonly dtype: string | null;
  readonly check: string | null;
  /** "not OK" is all others than OK. */
  readonly status: string | null;
  /** Only rows worse than twice PyTorch and 2 units in the last place. */
  readonly worse: boolean;
  /** Null: the order of the report. */
  readonly sort: ColumnKey | null;
  readonly descending: boolean;
}

/** "#words=matmul&backend=wasm&sort=-ratio"; '' where nothing is chosen. */
export function hashOf(view: View): string {
  const parameters = new URLSearchParams();
  if (view.words.trim() !== '') parameters.set('words', view.words.trim());
  for (const key of ['section', 'backend', 'dtype', 'check', 'status'] as const) {
    const wanted = view[key];
    if (wanted !== null) parameters.set(key, wanted);
  }
  if (view.worse) parameters.set('worse', '1');
  if (view.sort !== null) parameters.set('sort', `${view.descending ? '-' : ''}${view.sort}`);
  const text = parameters.toString();
  return text === '' ? '' : `#${text}`;
}

/** The other way round; what is no column is no order. */
export function viewOf(hash: string): View {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const sort = parameters.get('sort') ?? '';
  return {
    words: parameters.get('words') ?? '',
    section: parameters.get('section'),
    backend: parameters.get('backend'),
    dtype: parameters.get('dtype'),
    check: parameters.get('check'),
    status: parameters.get('status'),
    worse: parameters.get('worse') === '1',
    sort: COLUMN_KEYS.find((key) => key === sort.replace(/^-/, '')) ?? null,
    descending: sort.startsWith('-'),
  };
}

/** Rows without a number stand last in either order; equal ones stand as in the report. */
export function selectRows(rows: readonly PageRow[], view: View): PageRow[] {
  const words = view.words.toLowerCase().split(/\s+/).filter(Boolean);
  // "-1" is looked for, since axes are called so.
  const unwanted = words.filter((word) => /^-\p{L}/u.test(word)).map((word) => word.slice(1));
  const wanted = words.filter((word) => !/^-\p{L}/u.test(word));
  const is = (choice: string | null, value: string) => choice === null || choice === value;
  const selected = rows.filter(
    (row) =>
      is(view.section, row.section) &&
      is(view.backend, row.backend) &&
      is(view.dtype, row.dtype) &&
      is(view.check, row.check) &&
      (view.status === 'not OK' ? row.status !== 'OK' : is(view.status, row.status)) &&
      (!view.worse || row.worse) &&
      wanted.every((word) => row.text.includes(word)) &&
      !unwanted.some((word) => row.text.includes(word)),
  );
  const { sort, descending } = view;
  if (sort === null) return selected;
  const key = sort === 'shape' ? 'elements' : sort;
  const sign = descending ? -1 : 1;
  const texts = new Intl.Collator('en', { numeric: true });
  return selected.sort((a, b) => {
    const [x, y] = [a[key], b[key]];
    if (typeof x === 'string' || typeof y === 'string') return sign * texts.compare(String(x), String(y));
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    // A NaN is worse than any number.
    const [p, q] = [x, y].map((n) => (Number.isNaN(n) ? Number.POSITIVE_INFINITY : n));
    return p === q ? 0 : sign * (p < q ? -1 : 1);
  });
}

/** A text that a spreadsheet would take for a formula gets an apostrophe before it. */
function cellText(value: string | number | boolean | null): string {
  return typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? '');
}

/** All columns in full precision, as RFC 4180 has it. */
export function csvOf(rows: readonly PageRow[], columns: readonly ColumnKey[] = COLUMN_KEYS): string {
  const keys = [...columns, 'allowed', 'mean', 'note'] as const;
  const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const lines = rows.map((row) => keys.map((key) => quoted(cellText(row[key]))).join(','));
  return `${[keys.join(','), ...lines].join('\r\n')}\r\n`;
}
