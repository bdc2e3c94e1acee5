/** The bench on a GPU, as far as it can be asked without one: what it says, its budget, and its file from a software driver. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget } from '../bench/gpu/budget.ts';
import type { GpuReport } from '../bench/gpu/report.ts';
import { gpuRow, rowLines } from '../bench/gpu/report.ts';
import { gpuRows } from '../bench/gpu/rows.ts';
import type { Verified } from '../bench/gpu/verification.ts';
import { missing, settings, type VulkanParts } from '../bench/gpu/vulkan.ts';
import { type Draft, timeRows, verifyFolders } from '../bench/gpu/work.ts';
import { expertTokens } from '../bench/models/expertLayer.ts';
import type { Channel } from '../bench/peers/channel.ts';
import type { Contestant } from '../bench/peers/compare.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cogvlm-bench-gpu-spec-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** A clock that a driver moves on. */
class Clock {
  seconds = 100;
  readonly now = () => this.seconds;
}

/** Each answer takes ten seconds. */
function slowly(clock: Clock, answer: (request: object) => object): Channel {
  return {
    async ask(request) {
      clock.seconds += 10;
      return answer(request);
    },
    stop() {},
  };
}

const verified = (folder: string): Verified => ({
  folder,
  seconds: 10,
  results: 2,
  ok: 1,
  medianTorchRatio: 0.9,
  notOk: [{ name: 'a', status: 'DIFF', note: 'why' }],
});

const draft = (): Pick<Draft, 'verify' | 'rows' | 'skipped'> => ({ verify: [], rows: [], skipped: [] });

describe('budget', () => {
  it('counts from its start, to nothing and no further', () => {
    const clock = new Clock();
    const budget = new Budget(20, clock.now);
    const half = budget.part(0.5);
    clock.seconds += 8;
    expect([budget.left, half.left]).toEqual([12, 2]);
    expect(budget.refusal(12)).toBeNull();
    expect(half.refusal(5)).toBe('time ran out: 2 s left, it would take 5 s or more');
    clock.seconds += 90;
    expect(budget.left).toBe(0);
  });

  it('verifies folders while there is time, skips the rest and says so', async () => {
    const clock = new Clock();
    const [report, said] = [draft(), [] as string[]];
    const host = {
      open: () => slowly(clock, (request) => verified((request as { folder: string }).folder)),
    };
    const budget = new Budget(23, clock.now);
    await verifyFolders(host, ['ops', 'modules', 'cogvlm'], budget, report, (...lines) =>
      said.push(...lines),
    );
    expect(report.verify.map(({ folder }) => folder)).toEqual(['ops', 'modules']);
    const why = 'time ran out: 3 s left, it would take 5 s or more';
    expect(report.skipped).toEqual([{ what: 'verify cogvlm', why }]);
    expect(said[0]).toBe("verify ops: 1 of 2 agree, median error 0.90 × PyTorch's, 10.0 s; not: a");
    expect(said[2]).toBe(`verify cogvlm: skipped, ${why}`);
  });

  it('goes on with the next folder on a fresh driver where one ended', async () => {
    const clock = new Clock();
    const report = draft();
    let opened = 0;
    const host = {
      open: () =>
        slowly(clock, (request) => {
          const { folder } = request as { folder: string };
          if (folder === 'ops') throw new Error('the device was lost');
          return verified(folder);
        }),
    };
    const counted = {
      open() {
        opened++;
        return host.open();
      },
    };
    await verifyFolders(counted, ['ops', 'modules'], new Budget(100, clock.now), report, () => {});
    expect(report.skipped).toEqual([{ what: 'verify ops', why: 'the device was lost' }]);
    expect(report.verify).toHaveLength(1);
    expect(opened).toBe(2);
  });

  it('times rows while there is time; results are held against ours', async () => {
    const clock = new Clock();
    const report = draft();
    const answers = (value: number, ms: number) => (request: object) =>
      (request as { do: string }).do === 'prepare'
        ? { first: 20_000, check: [value, 1] }
        : { samples: [ms, ms + 1, ms + 2] };
    const contestant = (name: string, answer: (request: object) => object): Contestant => ({
      name,
      threads: 1,
      absent: {},
      open: () => slowly(clock, answer),
    });
    const on = [
      contestant('cogvlm-ts', answers(1, 1)),
      contestant('jax-js', answers(1, 3)),
      contestant('tfjs-webgpu', answers(2, 1)),
    ];
    const plan = { rounds: 1, seconds: 1, limit: 5, compiles: true };
    const rows = gpuRows(true).slice(0, 2);
    await timeRows(rows, on, plan, new Budget(72, clock.now), report, () => {});
    expect(report.rows).toHaveLength(1);
    const [{ name, cells }] = report.rows;
    expect(name).toBe('matmul 32³');
    // The first call, of 20 s, is no figure: it compiled.
    expect(cells[0]).toEqual({ name: 'cogvlm-ts', ms: 2, min: 1, rounds: [2], samples: 6, timesOurs: 1 });
    expect(cells[1]).toMatchObject({ name: 'jax-js', ms: 4, timesOurs: 2 });
    expect(cells[2]).toHaveProperty('absent', expect.stringContaining('computes something else'));
    expect(report.skipped).toEqual([
      { what: 'matmul 64³', why: 'time ran out: 2 s left, it would take 5 s or more' },
    ]);
    expect(rowLines(report.rows[0]).join('\n')).toMatch(/jax-js .* 2\.00×\n {2}tfjs-webgpu: computes/);
  });
});

describe('rows', () => {
  it('have names of their own; the layers say which tokens are the picture’s', () => {
    for (const software of [false, true]) {
      const rows = gpuRows(software);
      expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
      for (const kind of ['matmul', 'softmax', 'expert', 'expertBackward', 'gpt'])
        expect(rows.some(({ spec }) => spec.kind === kind)).toBe(true);
    }
    // Text, six tokens of a picture of which the last is the language expert's (docs of visionExpertMask), text.
    expect(expertTokens(12)).toEqual({
      image: [1, 6],
      positions: [0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 7, 8],
    });
  });

  it('have no ratio where our time is not known', () => {
    const [row] = gpuRows(true);
    const cells = [
      { name: 'cogvlm-ts', threads: 1, absent: 'why' },
      { name: 'jax-js', threads: 1, rounds: [3], min: 3, samples: 3 },
    ];
    expect(gpuRow(row, cells).cells[1]).toMatchObject({ ms: 3, timesOurs: null });
  });
});

describe('what Vulkan needs', () => {
  const nothing: VulkanParts = {
    loader: null,
    borrowedLoader: null,
    named: null,
    manifests: [],
    strayManifests: [],
    folders: [],
    nvidia: { libraries: [], module: null },
  };
  const nvidia = {
    libraries: ['/usr/local/nvidia/lib64/libEGL_nvidia.so.0'],
    module: 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.159.04  Tue',
  };

  it('is told by name, with what to install', () => {
    const words = (parts: Partial<VulkanParts>) => missing({ ...nothing, ...parts }).join('\n');
    expect(words({})).toContain('apt-get install libvulkan1');
    expect(words({})).toContain('/usr/share/vulkan/icd.d');
    const loader = '/usr/lib/libvulkan.so.1';
    expect(words({ loader, nvidia: { ...nvidia, libraries: [] } })).toContain(
      'apt-get install libnvidia-gl-580; a container needs NVIDIA_DRIVER_CAPABILITIES=all',
    );
    expect(words({ loader, named: [] })).toContain('VK_DRIVER_FILES or VK_ICD_FILENAMES names');
    expect(missing({ ...nothing, loader, nvidia })).toEqual([]);
  });

  it('is made up for where it can be: a manifest for the driver’s library, a loader from a browser', () => {
    const scratch = join(dir, 'vulkan');
    mkdirSync(scratch);
    const borrowed = join(dir, 'libvulkan.so.1');
    expect(settings(nothing, scratch, false)).toEqual([]);
    const tried = settings({ ...nothing, borrowedLoader: borrowed, nvidia }, scratch, false);
    expect(tried.map(({ what }) => what)).toEqual([
      `the system as it is, by the loader ${borrowed}`,
      `a manifest written for ${nvidia.libraries[0]}, by the loader ${borrowed}`,
    ]);
    expect(tried[0].env['LD_LIBRARY_PATH'].split(delimiter)[0]).toBe(join(scratch, 'loader'));
    const manifest = JSON.parse(readFileSync(tried[1].env['VK_DRIVER_FILES'], 'utf8'));
    expect(manifest.ICD.library_path).toBe(nvidia.libraries[0]);
    // Who names a manifest means it.
    const loader = '/usr/lib/libvulkan.so.1';
    expect(settings({ ...nothing, loader, nvidia, named: ['/a.json'] }, scratch, true)).toHaveLength(1);
  });
});

/** SwiftShader and a Vulkan loader, as Debian's chromium has them. */
const DRIVER = '/usr/lib/chromium/vk_swiftshader_icd.json';
const hasDriver = existsSync(DRIVER);
if (!hasDriver) console.log(`bench:gpu on software: skipped, there is no Vulkan driver at ${DRIVER}`);

describe('npm run bench:gpu', () => {
  function run(driver: string, args: readonly string[]) {
    const command = [resolve('bench/run.mjs'), '--gpu', '--host', 'node', '--no-peers', ...args];
    const env = { ...process.env, VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
    return spawnSync(process.execPath, command, { encoding: 'utf8', env, timeout: 110_000 });
  }

  it.skipIf(process.platform !== 'linux')('says what it looked for without a GPU, and stops', () => {
    const json = join(dir, 'none.json');
    const { status, stdout, stderr } = run('/does/not/exist.json', ['--json', json]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('No GPU that WebGPU can use here.');
    expect(stdout).toContain('VK_DRIVER_FILES or VK_ICD_FILENAMES names: no file is there');
    expect(existsSync(json)).toBe(false);
  });

  it.skipIf(!hasDriver)('does not take software for a GPU', () => {
    const { status, stdout } = run(DRIVER, ['--json', join(dir, 'none.json')]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/No GPU that WebGPU can use here\.[\s\S]*swiftshader.*\(software\)/);
  });

  it.skipIf(!hasDriver)('writes one file on a software driver', () => {
    const json = join(dir, 'software.json');
    const args = ['--software', '--no-verify', '--only', 'matmul 32', '--seconds', '100', '--json', json];
    const { status, stdout, stderr } = run(DRIVER, args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const report = JSON.parse(readFileSync(json, 'utf8')) as GpuReport;
    expect(Object.keys(report)).toEqual([
      ...['schema', 'made', 'seconds', 'secondsGiven', 'machine', 'nvidia', 'host', 'adapter', 'attempts'],
      ...['verify', 'timing', 'rows', 'skipped'],
    ]);
    expect(report.host.name).toBe('node');
    expect(report.adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader', software: true });
    expect(report.adapter.limits['maxBufferSize']).toBeGreaterThan(2 ** 28);
    expect(report.rows.map(({ name }) => name)).toEqual(['matmul 32³']);
    expect(report.rows[0].cells).toEqual([
      expect.objectContaining({ name: 'cogvlm-ts', timesOurs: 1, ms: expect.any(Number) }),
    ]);
    expect(report.skipped.map(({ what }) => what)).toEqual(['tfjs-webgpu', 'jax-js']);
    expect(stdout).toContain('adapter: google · swiftshader');
  });
});
