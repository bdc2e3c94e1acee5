/** Node as host: each driver is a process of its own. (Node only) */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { bundle } from '../bundle.mjs';
import { ChildChannel, killAll } from '../peers/child.ts';
import { type AdapterReport, adapterLine } from './adapter.ts';
import type { Attempt, Host } from './host.ts';
import type { Probed } from './probe.ts';
import { type Setting, settings, vulkanParts } from './vulkan.ts';

/** A driver that hangs must not take the others' time. */
const PROBE_SECONDS = 15;

/** Packages that are not part of a bundle: a native one, and what our own driver uses. */
const isOutside = (id: string) => id === 'webgpu' || id === 'gpu.js' || id.startsWith('node:');

/** @param dir where the programs lie, this one's and the drivers' */
function probe(dir: string, { env }: Setting): Promise<Probed> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-warnings', join(dir, 'probe.mjs')], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 1000 * PROBE_SECONDS,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let said = '';
    child.stdout.on('data', (text) => {
      out += text;
    });
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('error', (error) => resolve({ error: error.message }));
    child.on('close', (code, signal) => {
      try {
        resolve(JSON.parse(out) as Probed);
      } catch {
        const last = said.trim().split('\n').at(-1) ?? '';
        resolve({ error: `ended with ${signal ?? `status ${code}`}: ${last.slice(0, 200)}` });
      }
    });
  });
}

function nodeHost(dir: string, { what, env }: Setting, adapter: AdapterReport): Host {
  return {
    name: 'node',
    description: `Node ${process.version}, package webgpu (Dawn); ${what}`,
    adapter,
    async addPeers(entries) {
      const input = Object.entries(entries).map(([name, file]) => [`library-${name}`, file]);
      await bundle(Object.fromEntries(input), dir, { external: isOutside });
    },
    open(library) {
      const args = ['--max-old-space-size=12288', '--no-warnings', join(dir, 'driver.mjs'), library];
      return new ChildChannel({ command: process.execPath, args, env });
    },
    stopAll: killAll,
    close: async () => killAll(),
  };
}

/**
 * The first setting in which Node's WebGPU finds a GPU; with `software`, any adapter.
 * @param tell told of every attempt
 */
export async function findNodeHost(
  dir: string,
  scratch: string,
  software: boolean,
  tell: (attempt: Attempt) => void,
): Promise<Host | null> {
  const places: Setting[] =
    process.platform === 'linux'
      ? settings(vulkanParts(), scratch, software)
      : [{ what: 'the system as it is', env: {} }];
  for (const setting of places) {
    const found = await probe(dir, setting);
    const adapter = 'adapter' in found ? found.adapter : null;
    const said = 'error' in found ? found.error : adapter ? adapterLine(adapter) : 'no adapter';
    tell({ host: 'node', setting: setting.what, found: said });
    if (adapter !== null && (software || !adapter.software)) return nodeHost(dir, setting, adapter);
  }
  return null;
}
