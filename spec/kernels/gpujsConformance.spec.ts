/** Every kernel of the gpujs backend, in every mode that runs here, against the cpu backend. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from '../../src/kernels/cpu/index.ts';
import { createGpuJsBackend } from '../../src/kernels/gpujs/gpuJsBackend.ts';
import { conformance, type Failure } from './gpujsConformance.ts';
import { modelConformance } from './gpujsModel.ts';

describe.each(['webasm', 'cpu'] as const)('gpujs on %s', (mode) => {
  it('every kernel equals cpu', async () => {
    const backend = await createGpuJsBackend({ mode });
    expect(await conformance(backend)).toEqual([]);
    expect(backend.memory()).toEqual({ bytes: 0, buffers: 0 });
    await backend.destroy();
  });

  it('a whole tiny CogVLM equals cpu', async () => {
    const backend = await createGpuJsBackend({ mode });
    expect(await modelConformance(backend)).toEqual([]);
    await backend.destroy();
  });
});

it('the conformance cases see a kernel that is wrong', async () => {
  const cpu = createCpuBackend();
  expect(await conformance(cpu, { quick: true })).toEqual([]);
  const wrong = { ...cpu, rotary: (...[x]: Parameters<typeof cpu.rotary>) => cpu.copy(x) };
  const failures = await conformance(wrong, { quick: true });
  expect(failures.length).toBeGreaterThan(10);
  expect(failures.every(({ what }) => what.startsWith('rotary'))).toBe(true);
});

/** Debian's chromium brings a Vulkan driver that computes on the CPU. */
const CHROMIUM = '/usr/lib/chromium';
const driver = join(CHROMIUM, 'vk_swiftshader_icd.json');
const hasDriver = existsSync(driver);
if (!hasDriver) console.log(`gpujs on webgpu: skipped, there is no Vulkan driver at ${driver}`);

describe.skipIf(!hasDriver)('gpujs on webgpu', () => {
  it('every kernel and a whole tiny CogVLM equal cpu, and the process ends by itself', async () => {
    // In a process of its own: the driver is found by what the environment is when a process starts.
    const dir = mkdtempSync('node_modules/.gpujs-spec-');
    try {
      const [entry, run] = [join(dir, 'entry.ts'), join(dir, 'run.mjs')];
      const here = resolve('spec/kernels');
      writeFileSync(
        entry,
        `import { installWebGpu } from '${resolve('src/kernels/gpujs/node.ts')}';
         import { createGpuJsBackend } from '${resolve('src/kernels/gpujs/gpuJsBackend.ts')}';
         import { conformance } from '${here}/gpujsConformance.ts';
         import { modelConformance } from '${here}/gpujsModel.ts';
         const remove = await installWebGpu();
         const backend = await createGpuJsBackend();
         const failures = await conformance(backend, { quick: true });
         const memory = backend.memory();
         failures.push(...(await modelConformance(backend)));
         let sync = '';
         try { backend.readSync(backend.fill([1], 1, 'float32')); } catch (error) { sync = error.message; }
         await backend.destroy();
         await remove();
         console.log(JSON.stringify({ says: backend.describe(), failures, memory, sync }));`,
      );
      const bundle = await rolldown({
        input: entry,
        platform: 'node',
        external: ['gpu.js', 'webgpu', 'ndarray', 'fast-check'],
      });
      await bundle.write({ file: run, format: 'esm', codeSplitting: false });
      const env = {
        ...process.env,
        LD_LIBRARY_PATH: CHROMIUM,
        VK_ICD_FILENAMES: driver,
        XDG_RUNTIME_DIR: dir,
      };
      const child = spawnSync(process.execPath, [run], { encoding: 'utf8', timeout: 110_000, env });
      expect({ ...child, stderr: child.stderr.slice(-2000) }).toMatchObject({ status: 0, signal: null });
      const { says, failures, memory, sync } = JSON.parse(child.stdout) as {
        says: string;
        failures: Failure[];
        memory: unknown;
        sync: string;
      };
      expect(failures).toEqual([]);
      expect(says).toMatch(/^gpujs on webgpu \(a WebGPU adapter answers\): .* tensors stay on the device$/);
      expect(memory).toEqual({ bytes: 0, buffers: 0 });
      expect(sync).toBe(
        'gpujs on webgpu answers later: use `await tensor.read()` instead of `tensor.data` or `tensor.item()`',
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
