/** Where libraries run on WebGPU: Node by its package `webgpu`, or a headless Chromium. */
import type { Channel } from '../peers/channel.ts';
import type { AdapterReport } from './adapter.ts';
import type { LibraryName } from './library.ts';

export const HOST_NAMES = ['node', 'chromium'] as const;
export type HostName = (typeof HOST_NAMES)[number];

export interface Host {
  readonly name: HostName;
  /** Which Node or Chromium, and under what setting. */
  readonly description: string;
  readonly adapter: AdapterReport;
  /** Bundles drivers beside the host's own, the first time they are needed. */
  addPeers(entries: Readonly<Partial<Record<LibraryName, string>>>): Promise<void>;
  /** A driver of its own for a library. */
  open(library: LibraryName): Channel;
  /** Ends every driver now. @param why what those are told who wait for one */
  stopAll(why: string): void;
  close(): Promise<void>;
}

/** What was looked for, and what came of it. */
export interface Attempt {
  readonly host: HostName;
  readonly setting: string;
  readonly found: string;
}
