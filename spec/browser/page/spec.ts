/** What a browser spec is. */

/** Where the page comes from decides what it has; see server.mjs. */
export type Setting = 'isolated' | 'open' | 'minified';

export interface BrowserSpec {
  readonly name: string;
  /** The page itself, or a Web Worker of its own. */
  readonly where: 'page' | 'worker';
  readonly settings: readonly Setting[];
  /** What was found, in words. Throws where it is not right, {@link Skipped} where this browser cannot show it. */
  run(): Promise<string>;
}

export interface SpecResult {
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly text: string;
  readonly seconds: number;
}

/** This browser does not have what a spec is about. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

export async function resultOf({ run }: Pick<BrowserSpec, 'run'>): Promise<SpecResult> {
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  try {
    const text = await run();
    return { status: 'passed', text, seconds: seconds() };
  } catch (error) {
    if (error instanceof Skipped) return { status: 'skipped', text: error.message, seconds: seconds() };
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { status: 'failed', text, seconds: seconds() };
  }
}
