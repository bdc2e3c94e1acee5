/**
 * The module is compiled without a runtime: memory comes from outside. It exports whatever a file here exports and no other
 * file imports (exports.mjs), and what both want, which is named below. build.mjs writes for TypeScript what the functions
 * take and what the numbers are; functions that return nothing are the kernels.
 */
export { Binary, Cast, Compare, Unary } from './codes';
export { gemvColumns, gemvRows, MOST_GEMV_COLUMNS, MOST_GEMV_ROWS } from './gemv';
export { LANES } from './panels';
