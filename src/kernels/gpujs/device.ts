/**
 * GPU.js behind one function: a program and its inputs in, flat numbers out. A program is compiled when its sizes are
 * first seen (all modes bake them into the code they generate) and kept until space is needed for others.
 *
 * GPU.js falls to plain JavaScript with no more than a console warning when a kernel does not fit its mode. Every
 * program is looked at after its first run, and one that fell throws.
 */
import type { GPU, IKernelRunShortcut, Input } from 'gpu.js';
import { chooseMode, type GpuJsMode, type GpuJsModeOption } from './mode.ts';

export interface Program {
  readonly name: string;
  /** The kernel; GPU.js reads its source text. */
  readonly source: { toString(): string };
  /** Threads along x, y, z. */
  readonly output: readonly number[];
  /** How many numbers a thread returns. */
  readonly width: 1 | 4;
  /** Typed as integers, so that indices made of them are exact above 2²⁴ and loops to them are not capped. */
  readonly integers: Readonly<Record<string, number>>;
  readonly tables?: Readonly<Record<string, Float32Array>>;
}

/** Numbers as the kernel indexes them: sizes run from the fastest axis to the slowest (x, y, z). */
export interface ProgramInput {
  readonly data: Float32Array;
  readonly size: readonly number[];
}

export interface DeviceLimits {
  /** Compiled programs kept. */
  readonly programs: number;
  /** Bytes of the inputs and outputs of all kept programs; each holds its own copy of them. */
  readonly bytes: number;
}

export interface Device {
  readonly mode: GpuJsMode;
  readonly reason: string;
  /** Runs a program on its threads: [z][y][x][width], flat. */
  run(program: Program, inputs: readonly ProgramInput[]): Float32Array;
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

const DEFAULT_LIMITS: DeviceLimits = { programs: 64, bytes: 512 * 2 ** 20 };

/** Throws where the mode asked for does not exist. */
export async function openDevice(option: GpuJsModeOption, limits = DEFAULT_LIMITS): Promise<Device> {
  const library = await import('gpu.js');
  const { mode, reason } = await chooseMode(option, library.GPU);
  const gpu = new library.GPU({ mode });
  const compiled = new Map<string, Compiled>(); // oldest use first
  let bytes = 0;

  const input = ({ data, size }: ProgramInput): Input =>
    new library.Input(data as unknown as number[], [...size] as [number, number, number]);

  function forget(key: string, entry: Compiled): void {
    entry.kernel.destroy();
    bytes -= entry.bytes;
    compiled.delete(key);
  }

  function makeRoom(incoming: number): void {
    for (const [key, entry] of compiled) {
      if (compiled.size < limits.programs && bytes + incoming <= limits.bytes) return;
      forget(key, entry);
    }
  }

  function run(program: Program, inputs: readonly ProgramInput[]): Float32Array {
    const length = program.output.reduce((size, n) => size * n, program.width);
    const key = keyOf(program, inputs);
    const known = compiled.get(key);
    const cost = known ? known.bytes : 4 * inputs.reduce((sum, { data }) => sum + data.length, length);
    if (!known) makeRoom(cost);
    const kernel = known ? known.kernel : compile(gpu, program);
    const result: unknown = kernel(...inputs.map(input));
    if (!known) {
      try {
        assertMode(gpu, kernel, program, mode);
      } catch (error) {
        kernel.destroy();
        throw error;
      }
      bytes += cost;
    }
    compiled.delete(key);
    compiled.set(key, { kernel, bytes: cost });
    return flatten(result, length);
  }

  function clear(): void {
    for (const [key, entry] of compiled) forget(key, entry);
  }

  return {
    mode,
    reason,
    run,
    programs: () => compiled.size,
    clear,
    async destroy() {
      clear();
      await gpu.destroy();
    },
  };
}

function keyOf(program: Program, inputs: readonly ProgramInput[]): string {
  const sizes = inputs.map((one) => one.size.join('x'));
  return [program.name, program.output.join('x'), ...Object.values(program.integers), ...sizes].join(' ');
}

function compile(gpu: GPU, program: Program): IKernelRunShortcut {
  const { integers, tables = {} } = program;
  const constantTypes: Record<string, 'Integer' | 'Array'> = {};
  for (const name of Object.keys(integers)) constantTypes[name] = 'Integer';
  for (const name of Object.keys(tables)) constantTypes[name] = 'Array';
  const kernel = gpu.createKernel(program.source.toString(), {
    output: [...program.output],
    constants: { ...integers, ...tables },
    constantTypes,
    precision: 'single',
    tactic: 'precision',
  });
  const shaper = kernel.kernel as ResultShaper;
  if (typeof shaper._shapeOutput === 'function') shaper._shapeOutput = (data) => data;
  return kernel;
}

function assertMode(gpu: GPU, kernel: IKernelRunShortcut, program: Program, mode: GpuJsMode): void {
  const ran = kernel.kernel;
  if (ran.constructor === gpu.Kernel && !ran.fallbackReason) return;
  throw new Error(
    `gpujs: ${program.name} did not run on ${mode}: GPU.js fell back to plain JavaScript ` +
      `(${ran.fallbackReason ?? 'no reason given'})`,
  );
}

/** Nested results (rows of rows, or an array per thread) into one; flat ones pass. */
function flatten(result: unknown, length: number): Float32Array {
  if (result instanceof Float32Array && result.length === length) return result;
  const flat = new Float32Array(length);
  const end = write(result, flat, 0);
  if (end !== length) throw new Error(`gpujs: a kernel returned ${end} numbers, expected ${length}`);
  return flat;
}

function write(value: unknown, flat: Float32Array, at: number): number {
  if (value instanceof Float32Array) {
    flat.set(value, at);
    return at + value.length;
  }
  if (typeof value === 'number') {
    flat[at] = value;
    return at + 1;
  }
  if (!Array.isArray(value)) throw new Error(`gpujs: a kernel returned ${typeof value}, expected numbers`);
  let next = at;
  for (const part of value) next = write(part, flat, next);
  return next;
}
