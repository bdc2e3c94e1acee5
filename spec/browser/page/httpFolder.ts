/** Folders of the repository over HTTP, as the library's readers ask for them. */
import {
  bytesSource,
  type Checkpoint,
  openCheckpoint,
  openSafetensors,
  Tokenizer,
} from '../../../src/data/index.ts';
import { loadCogVLM, PretrainedCogVLM } from '../../../src/models/cogvlm/index.ts';
import type { GoldenFolder } from '../../../src/verify/index.ts';

async function get(path: string): Promise<Response> {
  const response = await fetch(`/files/${path}`);
  if (!response.ok) throw new Error(`/files/${path}: ${response.status} ${response.statusText}`);
  return response;
}

export async function fetchBytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await get(path)).arrayBuffer());
}

export async function fetchJson<T>(path: string): Promise<T> {
  return (await get(path)).json() as Promise<T>;
}

const source = async (path: string) => bytesSource(await fetchBytes(path), path);

function fetchCheckpoint(path: string): Promise<Checkpoint> {
  return openCheckpoint({
    label: path,
    list: () => fetchJson<string[]>(`${path}/`),
    open: (name) => source(`${path}/${name}`),
  });
}

export function fetchGoldens(path: string): GoldenFolder {
  return {
    label: path,
    list: () => fetchJson<string[]>(`${path}/`),
    bytes: (name) => fetchBytes(`${path}/${name}`),
    safetensors: async (name) => openSafetensors(await source(`${path}/${name}`)),
    checkpoint: (name) => fetchCheckpoint(`${path}/${name}`),
  };
}

/** A model folder onto the backend in use. */
export async function fetchPretrained(path: string): Promise<PretrainedCogVLM> {
  const [config, tokenizer, tokenizerConfig, checkpoint] = await Promise.all([
    fetchJson<unknown>(`${path}/config.json`),
    fetchJson<unknown>(`${path}/tokenizer.json`),
    fetchJson<unknown>(`${path}/tokenizer_config.json`),
    fetchCheckpoint(path),
  ]);
  const model = await loadCogVLM(config, checkpoint);
  await checkpoint.close();
  return new PretrainedCogVLM(model, new Tokenizer(tokenizer, tokenizerConfig));
}
