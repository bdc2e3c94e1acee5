/** Rows of what a folder's run finds. */
import type { Findings } from '../../src/verify/finding.ts';
import { judge } from '../../src/verify/judge.ts';
import type { Row } from '../../src/verify/row.ts';

export async function rowsOf(findings: Findings): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const finding of findings) rows.push(judge(finding));
  return rows;
}
