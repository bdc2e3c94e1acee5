/**
 * The GPU backend: kernels as GPU.js functions. matmul and softmax, where a model's time goes, run on the device; the
 * other kernels run on the host, on the same buffers, until they too are GPU.js functions.
 *
 * On a machine without a GPU (mode webasm) it proves that the functions are right; the wasm backend is the fast one.
 */
import type { Backend, DType, SoftmaxOptions, View } from '../backend.ts';
import { composedAttention } from '../composedAttention.ts';
import { createCpuBackend } from '../cpu/index.ts';
import { denseView, isDense, sizeOf } from '../views.ts';
import { openDevice } from './device.ts';
import { float32Of } from './hostData.ts';
import { matmul } from './matmul.ts';
import type { GpuJsMode, GpuJsModeOption } from './mode.ts';
import { selfTest } from './selfTest.ts';
import { softmax } from './softmax.ts';

export interface GpuJsOptions {
  /**
   * 'auto' (default): WebGL2, else headless GL, else WebAssembly; never plain JavaScript. A mode by name is that mode
   * or an error. 'cpu' is GPU.js as plain JavaScript, to find out what a mode does wrong.
   */
  readonly mode?: GpuJsModeOption;
}

export interface GpuJsBackend extends Backend {
  readonly mode: GpuJsMode;
  /** Frees compiled kernels and the GPU context; the backend is of no use afterwards, its buffers still are. */
  destroy(): Promise<void>;
}

const DTYPES: readonly DType[] = ['float32', 'int32', 'bool'];

/** Throws where the mode is not available, and where what it computes is not what the cpu backend computes. */
export async function createGpuJsBackend(options: GpuJsOptions = {}): Promise<GpuJsBackend> {
  const device = await openDevice(options.mode ?? 'auto');
  const description =
    `gpujs on ${device.mode} (${device.reason}): matmul, softmax and attention out of them are GPU.js kernels, ` +
    'the other kernels run on the host';
  const describe = () => description;
  const host = createCpuBackend({ name: 'gpujs', describe });
  const upload = (data: Float32Array, shape: readonly number[]) => denseView(host.upload(data), shape);

  /** Row-major numbers of a view, copied only where they do not lie so. */
  function dense(x: View): Float32Array {
    if (!isDense(x)) return host.readSync(x) as Float32Array;
    return float32Of(x.buffer).subarray(x.offset, x.offset + sizeOf(x.shape));
  }

  const onDevice: Pick<Backend, 'matmul' | 'softmax'> = {
    matmul(a: View, b: View): View {
      if (a.buffer.dtype !== 'float32') return host.matmul(a, b); // GPU.js has no other numbers
      return upload(matmul(device, a, b), [...a.shape.slice(0, -1), b.shape[b.shape.length - 1]]);
    },
    softmax(x: View, { causal }: SoftmaxOptions): View {
      if (x.buffer.dtype !== 'float32') return host.softmax(x, { causal });
      return upload(softmax(device, dense(x), x.shape, causal), x.shape);
    },
  };
  const backend: GpuJsBackend = {
    ...host,
    ...onDevice,
    ...composedAttention({ ...host, ...onDevice }),
    mode: device.mode,
    dtypes: DTYPES,
    describe,
    destroy: () => device.destroy(),
  };

  try {
    selfTest(backend, host);
  } catch (error) {
    await device.destroy();
    throw error;
  }
  device.clear();
  return backend;
}
