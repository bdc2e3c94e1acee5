/** Everything the module exports. Compiled by build.mjs, without a runtime: memory comes from outside. */
export { gemm, gemvColumns, gemvRows } from './gemm';
