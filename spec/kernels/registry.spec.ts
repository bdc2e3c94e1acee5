import { expect, it } from 'vitest';
import { BACKEND_NAMES, type BackendName, createBackend } from '../../src/kernels/registry.ts';

it.each(BACKEND_NAMES)('%s opens without options', async (name) => {
  const backend = await createBackend(name);
  expect(backend.name).toBe(name);
  expect([...(await backend.read(backend.fill([2], 3, 'float32')))]).toEqual([3, 3]);
});

it('a name that no backend has', async () => {
  await expect(createBackend('webgpu' as string as BackendName)).rejects.toThrow(
    'createBackend: no backend is called webgpu, there are cpu, wasm, gpujs',
  );
});
