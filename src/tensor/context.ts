/** The backend in use. */
import { type Backend, type BackendName, defaultBackend, loadBackend } from '../kernels/index.ts';

let current: Backend | undefined;

/** The backend new tensors are made on: the one that was set, else the fastest that runs here without waiting. */
export function getBackend(): Backend {
  current ??= defaultBackend();
  return current;
}

/**
 * Makes a backend the one that new tensors are made on; tensors that exist stay where they are.
 * @throws Error where the named backend cannot run here, with the reason
 */
export async function setBackend(backend: BackendName | Backend): Promise<Backend> {
  current = typeof backend === 'string' ? await loadBackend(backend) : backend;
  return current;
}
