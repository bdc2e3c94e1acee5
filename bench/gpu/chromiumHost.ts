/** Headless Chromium as host: each driver is a page of its own. The working directory is the repository's. (Node only) */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type * as Chromium from '../../spec/browser/chromium.mjs';
import type * as Server from '../../spec/browser/server.mjs';
import type { Channel } from '../peers/channel.ts';
import { type AdapterReport, adapterLine } from './adapter.ts';
import type { Attempt, Host } from './host.ts';
import type { LibraryName } from './library.ts';

interface WithAsk {
  ask(request: object): Promise<object>;
}

class PageChannel implements Channel {
  readonly #page: Promise<Page>;
  readonly #ended: () => string | undefined;

  /** @param ended why the browser was ended */
  constructor(page: Promise<Page>, ended: () => string | undefined) {
    this.#page = page;
    this.#ended = ended;
    page.catch(() => {}); // whoever asks is told
  }

  async ask(request: object, limit: number): Promise<object> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.stop();
        reject(new Error(`took longer than ${limit} s`));
      }, 1000 * limit);
    });
    try {
      const page = await Promise.race([this.#page, late]);
      const answer = page.evaluate((given) => (window as unknown as WithAsk).ask(given), request);
      return await Promise.race([answer, late]);
    } catch (error) {
      throw new Error(this.#ended() ?? (error as Error).message.split('\n')[0]);
    } finally {
      clearTimeout(timer);
    }
  }

  stop(): void {
    void this.#page.then((page) => page.close()).catch(() => {});
  }
}

const PAGE = resolve('bench/gpu/page/index.html');
const LIBRARIES = {
  'library-adapter': resolve('bench/gpu/libraries/adapter.ts'),
  'library-ours': resolve('bench/gpu/libraries/ours.ts'),
  'library-verify': resolve('bench/gpu/libraries/verifyHttp.ts'),
};

const source = <M>(file: string) => import(pathToFileURL(resolve(file)).href) as Promise<M>;

class ChromiumHost implements Host {
  readonly name = 'chromium';
  readonly description: string;
  readonly #browser: Browser;
  readonly #serve: (typeof Server)['serve'];
  #site: Awaited<ReturnType<(typeof Server)['serve']>> | undefined;
  #adapter: AdapterReport | null = null;
  #ended: string | undefined;

  constructor(browser: Browser, serve: (typeof Server)['serve'], path: string) {
    this.#browser = browser;
    this.#serve = serve;
    this.description = `Chromium ${browser.version()} (${path}), headless`;
  }

  get adapter(): AdapterReport {
    if (this.#adapter === null) throw new Error('Chromium has no WebGPU adapter');
    return this.#adapter;
  }

  async probe(): Promise<AdapterReport | null> {
    await this.addPeers({});
    const channel = this.#openPage('adapter');
    try {
      const { adapter } = (await channel.ask({}, 30)) as { readonly adapter: AdapterReport | null };
      this.#adapter = adapter;
      return adapter;
    } finally {
      channel.stop();
    }
  }

  async addPeers(entries: Readonly<Partial<Record<LibraryName, string>>>): Promise<void> {
    await this.#site?.close();
    const added = Object.entries(entries).map(([name, file]) => [`library-${name}`, file]);
    const input = { ...LIBRARIES, ...Object.fromEntries(added) };
    this.#site = await this.#serve(0, { index: PAGE, input, minified: false });
  }

  open(library: LibraryName): Channel {
    return this.#openPage(library);
  }

  #openPage(library: LibraryName | 'adapter'): Channel {
    const page = this.#browser.newPage().then(async (made) => {
      await made.goto(`${this.#site?.origin}/isolated/plain/#${library}`);
      return made;
    });
    return new PageChannel(page, () => this.#ended);
  }

  stopAll(why: string): void {
    this.#ended = why;
    void this.#browser.close().catch(() => {});
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#site?.close();
  }
}

/**
 * An installed Chromium whose WebGPU finds a GPU; with `software`, its SwiftShader.
 * @param tell told of every attempt
 */
export async function findChromiumHost(
  software: boolean,
  tell: (attempt: Attempt) => void,
): Promise<Host | null> {
  const { findChromium, hasSandbox, ...flags } = await source<typeof Chromium>('spec/browser/chromium.mjs');
  let setting = 'an installed Chromium or Chrome';
  let host: ChromiumHost | undefined;
  try {
    const path = findChromium();
    setting = path;
    const { chromium } = await import('playwright-core');
    const browser = await chromium.launch({
      executablePath: path,
      chromiumSandbox: hasSandbox(),
      args: [...(software ? flags.SOFTWARE_FLAGS : flags.GPU_FLAGS)],
    });
    const { serve } = await source<typeof Server>('spec/browser/server.mjs');
    host = new ChromiumHost(browser, serve, path);
    const adapter = await host.probe();
    tell({ host: 'chromium', setting, found: adapter ? adapterLine(adapter) : 'no adapter' });
    if (adapter !== null && (software || !adapter.software)) return host;
  } catch (error) {
    tell({ host: 'chromium', setting, found: (error as Error).message.split('\n')[0] });
  }
  await host?.close();
  return null;
}
