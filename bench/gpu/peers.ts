/** The other libraries: installed where they can be, else left out with the reason. (Node only) */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.ts';
import type { LibraryName } from './library.ts';

export interface Peer {
  readonly name: string;
  readonly library: LibraryName;
  /** Its packages, in bench/peers/node_modules. */
  readonly packages: readonly string[];
  /** Files of bench/peers/webgpu. */
  readonly entry: Readonly<Record<Host['name'], string>>;
}

export const PEERS: readonly Peer[] = [
  {
    name: 'tfjs-webgpu',
    library: 'tfjs',
    packages: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu'],
    entry: { node: 'tfjs.mjs', chromium: 'tfjs.mjs' },
  },
  {
    name: 'jax-js',
    library: 'jax',
    packages: ['@jax-js/jax'],
    entry: { node: 'jaxInNode.mjs', chromium: 'jax.mjs' },
  },
];

const isInstalled = (folder: string, { packages }: Peer) =>
  packages.every((name) => existsSync(join(folder, 'node_modules', name, 'package.json')));

/** `npm ci` as `bench:peers` does it. @returns why it failed; null where it did not */
function install(folder: string, seconds: number): Promise<string | null> {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  return new Promise((resolve) => {
    const child = spawn('npm', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout: 1000 * seconds,
      shell: process.platform === 'win32',
    });
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    child.on('error', (error) => resolve(`npm does not start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(null);
      const why = said.match(/^npm (?:error|ERR!) (?!code)\S.*$/m)?.[0] ?? said.trim().split('\n').at(-1);
      resolve(signal === null ? `npm ci failed: ${why}` : `npm ci took longer than ${seconds.toFixed(0)} s`);
    });
  });
}

export interface PeersFound {
  readonly found: readonly Peer[];
  readonly absent: readonly { readonly name: string; readonly why: string }[];
}

/** @param folder bench/peers @param seconds for the installation; 0 where there is to be none */
export async function findPeers(folder: string, seconds: number): Promise<PeersFound> {
  let why = 'not installed in bench/peers';
  if (seconds > 0 && !PEERS.every((peer) => isInstalled(folder, peer)))
    why = (await install(folder, seconds)) ?? why;
  const found = PEERS.filter((peer) => isInstalled(folder, peer));
  const others = PEERS.filter((peer) => !found.includes(peer));
  return { found, absent: others.map(({ name }) => ({ name, why })) };
}
