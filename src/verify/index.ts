/** Verification: results against what PyTorch computed, gradients against differences, a model module by module. */
export { type Comparison, compare, describeComparison } from './compare.ts';
export { type GoldenCase, GoldenError, type GoldenFolder } from './golden.ts';
export { type GradcheckOptions, gradcheck } from './gradcheck.ts';
export { asItIs, computing } from './policy.ts';
export { reportHtml } from './report/html.ts';
export {
  type Report,
  type ReportSection,
  type Summary,
  summarize,
  summarizeReport,
} from './report/report.ts';
export type { Check, Row, Status, Subject } from './row.ts';
export type { FloatDType } from './samples.ts';
export { moduleAtFault, type TraceRow, traceModel } from './trace/trace.ts';
export {
  ElsewhereError,
  type FolderKind,
  type FolderReport,
  folderKind,
  verifyFolder,
  verifyKind,
} from './verify.ts';
