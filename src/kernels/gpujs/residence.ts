/**
 * Where a mode keeps numbers between kernels, and how GPU.js wants to be told so.
 *
 * WebGPU and WebGL2 keep them on the device: kernels in pipeline mode return handles that other kernels take. Data goes
 * up once, by a kernel that copies its input, and comes down only when it is read. The kernels of WebAssembly and plain
 * JavaScript have no common device memory: each module owns a memory of its own, into which GPU.js copies the arguments
 * of a call; there the numbers lie in typed arrays.
 *
 * All modes but WebGPU bake the sizes of arguments and results into the code they generate. There buffers are rounded up
 * to a few capacities, so that sizes that grow token by token do not mean a program each.
 */
import type { GPU, IKernelRunShortcut } from 'gpu.js';
import type { GpuJsMode } from './options.ts';

/** A handle of GPU.js: a texture (WebGL) or a storage buffer (WebGPU). */
export interface DeviceArray {
  /** Sizes, fastest axis first. */
  output: readonly number[];
  /** Size of the texture; WebGL only. */
  readonly size?: ArrayLike<number>;
  /** Numbers per element; WebGPU only. */
  componentCount?: number;
  /** The kernel that reads and deletes the handle; at first the one that made it. */
  kernel: unknown;
  toArray(): unknown;
  delete(): void;
}

/** The numbers of a buffer in its mode's memory; there may be more behind them than the buffer has. */
export type Content = Float32Array | DeviceArray;

export interface Residence {
  /** What an array of numbers is to GPU.js. */
  readonly argumentType: 'Input' | 'ArrayTexture(1)' | 'WebGPUBuffer';
  /** True where results stay on the device as handles. */
  readonly onDevice: boolean;
  readonly settings: Readonly<Record<string, boolean>>;
  /** Numbers a buffer of `length` numbers has room for. */
  capacity(length: number): number;
  /** True where sizes of arguments and results are part of the generated code. */
  readonly bakesSizes: boolean;
  /** What of a content the generated code depends on. */
  sizeKey(content: Content): string;
  /** A thread of matmul makes four rows where a kernel may return four numbers that others can read. */
  readonly tiles: boolean;
}

/** A multiple of 64; beyond 256 at most a quarter more, a sixteenth for large buffers. */
function roundedUp(length: number): number {
  const octave = 2 ** Math.floor(Math.log2(Math.max(length, 1)));
  const step = Math.max(64, octave / (length < 2 ** 14 ? 4 : 16));
  return Math.ceil(Math.max(length, 1) / step) * step;
}

/** The same for one axis of a matrix of threads; a multiple of 4, which WebAssembly computes at a time. */
export function roundedAxis(length: number): number {
  if (length <= 4) return length;
  const step = Math.max(4, 2 ** Math.floor(Math.log2(length)) / 8);
  return Math.ceil(length / step) * step;
}

const HOST: Residence = {
  argumentType: 'Input',
  onDevice: false,
  settings: {},
  bakesSizes: true,
  capacity: roundedUp,
  sizeKey: (content) => String((content as Float32Array).length),
  tiles: true,
};

const WEBGL: Residence = {
  argumentType: 'ArrayTexture(1)',
  onDevice: true,
  settings: { pipeline: true, immutable: true },
  bakesSizes: true,
  capacity: roundedUp,
  sizeKey: (content) => {
    const { output, size } = content as DeviceArray;
    return `${output.join('x')}@${Array.from(size ?? []).join('x')}`;
  },
  tiles: false,
};

const WEBGPU: Residence = {
  argumentType: 'WebGPUBuffer',
  onDevice: true,
  settings: { pipeline: true, immutable: true, dynamicOutput: true, dynamicArguments: true },
  bakesSizes: false,
  capacity: (length) => Math.max(length, 1),
  sizeKey: () => '',
  tiles: true,
};

export const RESIDENCE: { readonly [M in GpuJsMode]: Residence } = {
  webgpu: WEBGPU,
  webgl2: WEBGL,
  headlessgl: WEBGL,
  webasm: HOST,
  cpu: HOST,
};

/** A result of GPU.js as content: a handle, or one flat array of `length` numbers. */
export function contentOf(result: unknown, residence: Residence, length: number): Content {
  if (!residence.onDevice) return flatten(result, length);
  const handle = result as DeviceArray;
  if (typeof handle?.toArray !== 'function')
    throw new Error(`gpujs: a kernel returned ${typeof result}, expected a handle`);
  // A storage buffer is flat whatever the threads were; WebGPU kernels take only such, of one number per element.
  if (handle.componentCount !== undefined) {
    handle.componentCount = 1;
    handle.output = [length];
  }
  return handle;
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

/** Throws where GPU.js fell back to another mode than the one it was opened for. */
export function assertMode(gpu: GPU, kernel: IKernelRunShortcut, program: string, mode: GpuJsMode): void {
  const ran = kernel.kernel;
  if (ran.constructor === gpu.Kernel && !ran.fallbackReason) return;
  throw new Error(
    `gpujs: ${program} did not run on ${mode}: GPU.js fell back to plain JavaScript ` +
      `(${ran.fallbackReason ?? 'no reason given'})`,
  );
}
