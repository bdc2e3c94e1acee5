/**
 * The GPU backend: every kernel a GPU.js function, on WebGPU, WebGL2 or headless GL where there is such, on WebAssembly
 * elsewhere. Numbers stay in the mode's memory between kernels; int32 lies on the host.
 *
 * On a machine without a GPU (mode webasm) it proves that the functions are right; the wasm backend is the fast one.
 */
import type { DType, HostArray, View } from '../backend.ts';
import { createCpuBackend } from '../cpu/index.ts';
import { dtypeOf, sizeOf } from '../views.ts';
import { type Device, openDevice } from './device.ts';
import { createEngine, type Engine } from './engine.ts';
import { createIntegers, type Integers } from './integers.ts';
import { gpuJsKernels } from './kernels.ts';
import { immediateLane, queuedLane, Slot } from './lane.ts';
import type { GpuJsBackend, GpuJsOptions } from './options.ts';
import type { Content } from './residence.ts';
import { selfTest } from './selfTest.ts';
import { createStore } from './store.ts';

const DTYPES: readonly DType[] = ['float32', 'int32', 'bool'];

/** @throws Error where the mode is not available, and where what it computes is not what the cpu backend computes */
export async function createGpuJsBackend(options: GpuJsOptions = {}): Promise<GpuJsBackend> {
  const device = await openDevice(options.mode ?? 'auto');
  const backend = backendOn(device);
  try {
    await selfTest(backend, createCpuBackend());
  } catch (error) {
    await device.destroy();
    throw error;
  }
  device.clear();
  return backend;
}

/** The backend without its self-test. */
export function backendOn(device: Device): GpuJsBackend {
  const { mode, reason } = device;
  const lane = mode === 'webgpu' ? queuedLane() : immediateLane;
  const store = createStore(lane, device);
  const engine = createEngine(device, lane, store, createCpuBackend());
  const integers: Integers = createIntegers(engine, (x) => readFloats(engine, x));
  const where = device.residence.onDevice
    ? 'tensors stay on the device'
    : 'tensors lie in typed arrays, which GPU.js copies for each kernel';
  const description = `gpujs on ${mode} (${reason}): every kernel is a GPU.js function, ${where}`;

  const contents = (x: View): Slot<HostArray> =>
    sizeOf(x.shape) === 0 ? Slot.of(empty(x.buffer.dtype)) : integers.read(x);

  return {
    name: 'gpujs',
    mode,
    dtypes: DTYPES,
    describe: () => description,
    programs: () => device.programs(),

    upload(data) {
      const dtype = dtypeOf(data);
      if (dtype === 'float64') throw new Error('gpujs: upload: float64, expected float32, int32 or bool');
      if (data instanceof Int32Array) return store.make(dtype, data.length, Slot.of(data.slice()));
      // Where the lane waits, the caller may change its numbers before they go up.
      const numbers = data instanceof Float32Array && !lane.waits ? data : new Float32Array(data);
      return engine.upload(() => numbers, numbers.length, dtype).buffer;
    },
    async read(x) {
      const slot = contents(x);
      await slot.settled;
      return slot.take();
    },
    readSync(x) {
      const slot = contents(x);
      if (slot.isReady || !lane.waits) return slot.take();
      throw new Error(
        `gpujs on ${mode} answers later: use \`await tensor.read()\` instead of \`tensor.data\` or \`tensor.item()\``,
      );
    },
    release: (buffer, by) => store.release(buffer, by),
    park: (buffer) => store.park(buffer),
    memory: () => store.memory(),
    openScope: () => store.openScope(),
    closeScope: (keep, by) => store.closeScope(keep, by),
    ...gpuJsKernels(engine, integers),

    async destroy() {
      await lane.submit(() => undefined).settled; // what was asked for before is done
      await device.destroy();
    },
  };
}

function empty(dtype: DType): HostArray {
  if (dtype === 'int32') return new Int32Array(0);
  return dtype === 'bool' ? new Uint8Array(0) : new Float32Array(0);
}

/** The elements of a view in row-major order; only they come down from the device. */
function readFloats(engine: Engine, x: View): Slot<Float32Array> {
  const { device, lane, store, dense, copy } = engine;
  const n = sizeOf(x.shape);
  if (n === 0) return Slot.of(new Float32Array(0));
  store.openScope();
  try {
    const part = device.residence.onDevice && n < x.buffer.length;
    const view = part ? copy(x) : dense(x);
    const slot = store.slotOf(view);
    return lane.submit(() => device.download(slot.take() as Content, view.offset, n));
  } finally {
    store.closeScope(new Set());
  }
}
