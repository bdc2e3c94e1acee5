/** Every kernel of GPU.js, and a whole tiny model of them, against the cpu backend on what the browser has. */
import type { Backend } from '../../../src/index.ts';
import { conformance } from '../../kernels/gpujsConformance.ts';
import { modelConformance } from '../../kernels/gpujsModel.ts';
import { gpujs } from './backends.ts';
import { type BrowserSpec, check } from './spec.ts';

async function agrees(backend: Backend): Promise<string> {
  const failures = [...(await conformance(backend, { quick: true })), ...(await modelConformance(backend))];
  check(failures.length === 0, failures.map(({ what, message }) => `${what}: ${message}`).join('\n'));
  return backend.describe();
}

export const conformanceSpecs: readonly BrowserSpec[] = (['webgl2', 'webgpu'] as const).map((mode) => ({
  name: `gpujs, ${mode}: every kernel and a whole model`,
  where: 'page',
  settings: ['isolated'],
  run: async () => agrees(await gpujs(mode)),
}));
