/** Prints what Node's WebGPU finds with the environment it was given, as JSON. (Node only) */
import { exposeWebGpu } from '../../src/kernels/gpujs/dawn.ts';
import { type AdapterReport, adapterReport } from './adapter.ts';

export type Probed = { readonly adapter: AdapterReport | null } | { readonly error: string };

async function probe(): Promise<Probed> {
  try {
    await exposeWebGpu();
    return { adapter: await adapterReport() };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

process.stdout.write(`${JSON.stringify(await probe())}\n`, () => process.exit());
