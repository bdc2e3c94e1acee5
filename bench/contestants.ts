/** What is measured against each other: backends, the wasm backend once for each number of threads. */
import { type Backend, type BackendName, setBackend } from '../src/index.ts';
import { loadBackend } from '../src/kernels/index.ts';
import { hasRelaxedSimd } from '../src/kernels/wasm/features.ts';
import { createWasmBackend, type WasmOptions } from '../src/kernels/wasm/index.ts';
import { type Budget, flopRate } from './measure.ts';
import type { Roofline } from './roofline/kernels.ts';
import { measureRoofline } from './roofline/measure.ts';

export interface Contestant {
  /** "wasm (2 threads)" */
  readonly label: string;
  readonly backend: Backend;
  /** Operations per second, by a small matrix product. */
  readonly rate: number;
  readonly roofline: Roofline;
}

export interface Choice extends Budget {
  readonly backend?: readonly BackendName[];
  readonly threads: readonly number[];
  /** No relaxed SIMD. */
  readonly plain: boolean;
}

const DEFAULT_BACKENDS: readonly BackendName[] = ['cpu', 'wasm', 'gpujs'];

export const threadLabel = (threads: number): string => `${threads} thread${threads > 1 ? 's' : ''}`;

/** The wasm backend on so many threads. @throws Error where it cannot run here */
export async function wasmBackend(threads: number, plain: boolean): Promise<Backend> {
  const options: WasmOptions & { readonly threads: number } = plain
    ? { threads, relaxed: false }
    : { threads };
  return await createWasmBackend(options);
}

/**
 * @param note told of backends that do not run here
 * @throws Error where a backend that was asked for by name does not load
 */
export async function contestants(choice: Choice, note: (text: string) => void): Promise<Contestant[]> {
  const relaxed = !choice.plain && hasRelaxedSimd();
  const rooflines = new Map<number, Roofline>();
  const rooflineOf = async (threads: number) => {
    const roofline = rooflines.get(threads) ?? (await measureRoofline(threads, relaxed));
    rooflines.set(threads, roofline);
    return roofline;
  };
  const found: Contestant[] = [];
  for (const name of choice.backend ?? DEFAULT_BACKENDS) {
    try {
      for (const threads of name === 'wasm' ? choice.threads : [1]) {
        const backend = name === 'wasm' ? await wasmBackend(threads, choice.plain) : await loadBackend(name);
        await setBackend(backend);
        const rate = await flopRate(choice);
        const label = name === 'wasm' ? `wasm (${threadLabel(threads)})` : name;
        found.push({ label, backend, rate, roofline: await rooflineOf(threads) });
      }
    } catch (error) {
      if (choice.backend !== undefined) throw error;
      note(`${name} does not run here: ${(error as Error).message}\n`);
    }
  }
  return found;
}
