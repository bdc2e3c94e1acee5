/**
 * WebGPU in Node (Node only): the package `webgpu`, which GPU.js depends on but never loads, put where browsers have it.
 * It finds GPUs through the system's Vulkan driver (on macOS Metal, on Windows Direct3D).
 */

/** What is used of the package, which has no types of its own for it. */
interface WebGpuPackage {
  readonly globals: Readonly<Record<string, unknown>>;
  create(flags: readonly string[]): object;
}

/**
 * Lets `navigator.gpu` find the machine's GPUs. The process does not end while it is there.
 * @returns what takes it away again
 * @throws Error where the package is not there or does not load, with the reason
 */
export async function exposeWebGpu(): Promise<() => void> {
  const { globals, create } = await load();
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu: create([]) },
    configurable: true,
    writable: true,
  });
  return () => {
    Reflect.deleteProperty(globalThis, 'navigator');
    if (before !== undefined) Object.defineProperty(globalThis, 'navigator', before);
  };
}

async function load(): Promise<WebGpuPackage> {
  const name = 'webgpu';
  try {
    return (await import(name)) as WebGpuPackage;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Error(`gpujs: WebGPU in Node needs the package "webgpu", which does not load here: ${reason}`);
  }
}
