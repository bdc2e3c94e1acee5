/**
 * Progress of long work: a bar on a terminal, else a line every few seconds. Work done within a second shows nothing,
 * unless it is known to take longer.
 */
import { SingleBar } from 'cli-progress';
import type { CliIo } from './io.ts';

const QUIET_MS = 1000;
const LINE_MS = 5000;

export interface Progress {
  update(done: number, total: number): void;
  /** Takes the bar away. */
  stop(): void;
}

/**
 * @param what is being done, in front of the bar: "loading"
 * @param quietMs milliseconds before anything is shown
 */
export function startProgress(io: CliIo, what: string, unit: string, quietMs = QUIET_MS): Progress {
  const begun = performance.now();
  let shown = begun + QUIET_MS - LINE_MS;
  let bar: SingleBar | undefined;
  return {
    update(done, total) {
      const now = performance.now();
      if (bar !== undefined) {
        bar.setTotal(total);
        bar.update(done);
      } else if (io.barStream === undefined) {
        if (now - shown < LINE_MS) return;
        shown = now;
        io.err(`${what}: ${done} of ${total} ${unit}\n`);
      } else if (now - begun >= quietMs) {
        bar = new SingleBar({
          format: `${what} {bar} {value}/{total} ${unit}, {eta_formatted} left`,
          stream: io.barStream,
          clearOnComplete: true,
          barCompleteChar: '█',
          barIncompleteChar: '░',
        });
        bar.start(total, done);
      }
    },
    stop() {
      bar?.stop();
      bar = undefined;
    },
  };
}
