/** Dividing a checkpoint into files as transformers does, and the index that says what is where. */

import { SINGLE_FILE } from './checkpoint.ts';
import { SafetensorsError } from './error.ts';
import type { TensorSpec } from './write.ts';
import { tensorBytes } from './write.ts';

export interface Shard<E extends TensorSpec> {
  readonly name: string;
  readonly entries: readonly E[];
}

/**
 * Fills files in the order of the entries; a tensor that would make a file hold more than `maxShardBytes` begins the next
 * one, and a tensor greater than that has a file for itself. One file is `model.safetensors`, more are
 * `model-0000k-of-0000N.safetensors`.
 */
export function planShards<E extends TensorSpec>(
  entries: readonly E[],
  maxShardBytes: number,
  label: string,
): readonly Shard<E>[] {
  if (!(maxShardBytes > 0)) {
    throw new SafetensorsError(label, `maxShardBytes must be greater than 0, got ${maxShardBytes}`);
  }
  const groups: E[][] = [[]];
  let filled = 0;
  for (const entry of entries) {
    const bytes = tensorBytes(entry, label);
    if (filled + bytes > maxShardBytes && groups[groups.length - 1].length > 0) {
      groups.push([]);
      filled = 0;
    }
    groups[groups.length - 1].push(entry);
    filled += bytes;
  }
  if (groups.length === 1) return [{ name: SINGLE_FILE, entries: groups[0] }];
  const padded = (n: number) => String(n).padStart(5, '0');
  const total = padded(groups.length);
  return groups.map((group, k) => ({
    name: `model-${padded(k + 1)}-of-${total}.safetensors`,
    entries: group,
  }));
}

/** Text of model.safetensors.index.json: total_size in bytes, and weight_map with its names sorted. */
export function formatIndex(shards: readonly Shard<TensorSpec>[], label: string): string {
  const pairs: (readonly [tensor: string, file: string])[] = [];
  let totalSize = 0;
  for (const { name, entries } of shards) {
    for (const entry of entries) {
      pairs.push([entry.name, name]);
      totalSize += tensorBytes(entry, label);
    }
  }
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = pairs.map(([tensor, file]) => `    ${JSON.stringify(tensor)}: ${JSON.stringify(file)}`);
  // Written line by line: an object would move names that look like numbers to the front.
  return `{\n  "metadata": {\n    "total_size": ${totalSize}\n  },\n  "weight_map": {\n${lines.join(',\n')}\n  }\n}\n`;
}
