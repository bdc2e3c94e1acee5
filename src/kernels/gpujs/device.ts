/**
 * GPU.js behind one function: a program, contents and numbers in, a content out. Programs are compiled for the sizes that
 * their mode bakes into code and kept until space is needed for others.
 *
 * GPU.js falls to plain JavaScript with no more than a console warning when a kernel does not fit its mode. Every
 * program is looked at after its first run, and one that fell throws.
 */
import type { IKernelRunShortcut, Input } from 'gpu.js';
import { POWERS } from './functions.ts';
import { chooseMode } from './mode.ts';
import type { GpuJsMode, GpuJsModeOption } from './options.ts';
import { type Program, program } from './program.ts';
import { assertMode, type Content, contentOf, RESIDENCE, type Residence } from './residence.ts';

export interface DeviceLimits {
  /** Compiled programs kept. */
  readonly programs: number;
  /** Bytes of the inputs and outputs of all kept programs; each may hold its own copy of them. */
  readonly bytes: number;
}

export interface Call {
  readonly program: Program;
  readonly arrays: readonly Content[];
  readonly integers: readonly number[];
  readonly floats: readonly number[];
  /** Threads along x, y, z. */
  readonly threads: readonly number[];
}

export interface Device {
  readonly mode: GpuJsMode;
  readonly reason: string;
  readonly residence: Residence;
  /** Runs a program on its threads: [z][y][x][width], flat. A promise on WebGPU, where one call follows the other. */
  run(call: Call): Content | Promise<Content>;
  /** Numbers from the host, as many as the capacity for them, the rest 0. */
  upload(data: Float32Array): Content | Promise<Content>;
  /** Numbers at, at + 1, … at + length − 1 of a content, copied. */
  download(content: Content, at: number, length: number): Float32Array | Promise<Float32Array>;
  free(content: Content): void;
  /** Compiled programs alive. */
  programs(): number;
  /** Frees every compiled program. */
  clear(): void;
  /** Frees the programs and GPU.js's own context. */
  destroy(): Promise<void>;
}

interface Compiled {
  readonly kernel: IKernelRunShortcut;
  readonly bytes: number;
}

/** Of the WebAssembly kernel; what turns the flat result into nested arrays, one small object per thread. */
interface ResultShaper {
  _shapeOutput?: (data: Float32Array) => Float32Array;
}

/** The declared type leaves out that the types of arguments may be a list. */
interface ByPosition {
  setArgumentTypes(types: readonly string[]): void;
}

const DEFAULT_LIMITS: DeviceLimits = { programs: 512, bytes: 512 * 2 ** 20 };

/** Longest loop a program may ask for; none does (see program.ts). GPU.js's own limit is 1000, and silent. */
const LOOP_LIMIT = 2 ** 30;

const UPLOAD = program('upload', { arrays: ['x'], body: 'return x[this.thread.x + xAt];' });

/** @throws Error where the mode asked for does not exist */
export async function openDevice(option: GpuJsModeOption, limits = DEFAULT_LIMITS): Promise<Device> {
  const library = await import('gpu.js');
  const { mode, reason } = await chooseMode(option, library.GPU);
  const residence = RESIDENCE[mode];
  const gpu = new library.GPU({ mode });
  const compiled = new Map<string, Compiled>(); // oldest use first
  let bytes = 0;
  let mostPrograms = limits.programs;

  const inputOf = (data: Float32Array): Input =>
    new library.Input(data as unknown as number[], [data.length]);

  function compile(one: Program, threads: readonly number[], arrayType: string): IKernelRunShortcut {
    const constants = one.source.includes('POWERS')
      ? { constants: { POWERS: POWERS as unknown as number[] }, constantTypes: { POWERS: 'Array' as const } }
      : {};
    const kernel = gpu.createKernel(one.source, {
      output: [...threads],
      ...constants,
      precision: 'single',
      tactic: 'precision',
      ...residence.settings,
    });
    kernel.setLoopMaxIterations(LOOP_LIMIT);
    (kernel as unknown as ByPosition).setArgumentTypes([
      ...new Array<string>(one.arrays).fill(arrayType),
      ...new Array<string>(one.integers).fill('Integer'),
      ...new Array<string>(one.floats).fill('Float'),
    ]);
    const shaper = kernel.kernel as ResultShaper;
    if (!residence.onDevice && typeof shaper._shapeOutput === 'function')
      shaper._shapeOutput = (data) => data;
    return kernel;
  }

  /**
   * The kernel that reads and deletes all handles, whichever made them: theirs may be destroyed before they are. It is
   * made by the first call and lives as long as the device.
   */
  let keeper: unknown;

  function forget(key: string, entry: Compiled): void {
    if (entry.kernel.kernel !== keeper) entry.kernel.destroy();
    bytes -= entry.bytes;
    compiled.delete(key);
  }

  function makeRoom(incoming: number): void {
    for (const [key, entry] of compiled) {
      if (compiled.size < mostPrograms && bytes + incoming <= limits.bytes) return;
      forget(key, entry);
    }
  }

  function execute(
    one: Program,
    threads: readonly number[],
    sizes: string,
    inputBytes: number,
    arrayType: string,
    args: readonly unknown[],
  ): Content | Promise<Content> {
    const length = threads.reduce((size, n) => size * n, one.width);
    const baked = residence.bakesSizes ? threads.join('x') : String(threads.length);
    const key = `${one.name} ${baked} ${sizes}`;
    const known = compiled.get(key);
    const cost = known ? known.bytes : 4 * length + inputBytes;
    if (!known) makeRoom(cost);
    const kernel = known?.kernel ?? compile(one, threads, arrayType);
    const finish = (result: unknown): Content => {
      if (!known) {
        assertMode(gpu, kernel, one.name, mode);
        bytes += cost;
      }
      compiled.delete(key);
      compiled.set(key, { kernel, bytes: cost });
      const content = contentOf(result, residence, length);
      if ('toArray' in content) {
        keeper ??= kernel.kernel;
        content.kernel = keeper;
      }
      return content;
    };
    const undo = (error: unknown): Content | Promise<Content> => {
      if (!known) kernel.destroy();
      // A browser gives a page room for about a hundred WebAssembly memories, of which each program has one.
      if (mode !== 'webasm' || !(error instanceof RangeError) || known || compiled.size < 2) throw error;
      mostPrograms = compiled.size >> 1;
      return execute(one, threads, sizes, inputBytes, arrayType, args);
    };
    try {
      if (!residence.bakesSizes) kernel.setOutput([...threads]);
      const result: unknown = (kernel as (...values: unknown[]) => unknown)(...args);
      if (result instanceof Promise) return result.then(finish).catch(undo);
      return finish(result);
    } catch (error) {
      return undo(error);
    }
  }

  function run({ program: one, arrays, integers, floats, threads }: Call): Content | Promise<Content> {
    if (integers.length !== one.integers || arrays.length !== one.arrays || floats.length !== one.floats)
      throw new Error(`gpujs: ${one.name} takes ${one.arrays}, ${one.integers}, ${one.floats} arguments`);
    const inputs = arrays.map((x) => (x instanceof Float32Array ? inputOf(x) : x));
    const sizes = arrays.map((x) => residence.sizeKey(x)).join(' ');
    const held = arrays.reduce((sum, x) => sum + (x instanceof Float32Array ? 4 * x.length : 0), 0);
    return execute(one, threads, sizes, held, residence.argumentType, [...inputs, ...integers, ...floats]);
  }

  function upload(data: Float32Array): Content | Promise<Content> {
    const capacity = residence.capacity(data.length);
    const padded = new Float32Array(capacity);
    padded.set(data);
    if (!residence.onDevice) return padded;
    return execute(UPLOAD, [capacity], residence.bakesSizes ? String(capacity) : '', 4 * capacity, 'Input', [
      inputOf(padded),
      0,
    ]);
  }

  function download(content: Content, at: number, length: number): Float32Array | Promise<Float32Array> {
    if (content instanceof Float32Array) return content.slice(at, at + length);
    const numbers = content.toArray();
    if (numbers instanceof Promise)
      return numbers.then((values: Float32Array) => values.slice(at, at + length));
    return (numbers as Float32Array).slice(at, at + length);
  }

  function clear(): void {
    for (const [key, entry] of compiled) forget(key, entry);
  }

  return {
    mode,
    reason,
    residence,
    run,
    upload,
    download,
    free: (content) => {
      if (!(content instanceof Float32Array)) content.delete();
    },
    programs: () => compiled.size,
    clear,
    async destroy() {
      keeper = undefined;
      clear();
      await gpu.destroy();
    },
  };
}
