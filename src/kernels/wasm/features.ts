/** What the WebAssembly engine can do, asked with the smallest modules that need it. */

/** (func (result v128) (i32x4.splat (i32.const 0))) */
const SIMD_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 17, 11,
];

/** (func (result v128) (f32x4.relaxed_madd x x x)) with x = (i32x4.splat (i32.const 0)) */
const RELAXED_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0,
  253, 17, 65, 0, 253, 17, 253, 133, 2, 11,
];

function accepts(probe: readonly number[]): boolean {
  return WebAssembly.validate(new Uint8Array(probe));
}

/** Whether the wasm backend can run here, and what is missing if not. */
export function wasmSupport(): { readonly supported: boolean; readonly reason: string } {
  if (typeof WebAssembly === 'undefined') {
    return { supported: false, reason: 'this JavaScript engine has no WebAssembly' };
  }
  if (!accepts(SIMD_PROBE)) return { supported: false, reason: 'its WebAssembly has no 128-bit SIMD' };
  return { supported: true, reason: 'WebAssembly with 128-bit SIMD' };
}

/** True if createWasmBackend works here; {@link wasmSupport} says why. */
export function isWasmSupported(): boolean {
  return wasmSupport().supported;
}

/**
 * True if relaxed SIMD (fused multiply-add) compiles. V8 before 11.4, Node 20's, has it behind a flag that may be set
 * while the process runs; it is set on the first call, if Node offers a way to load node:v8 without an import.
 */
export function hasRelaxedSimd(): boolean {
  if (accepts(RELAXED_PROBE)) return true;
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return false;
  process.getBuiltinModule('node:v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return accepts(RELAXED_PROBE);
}
