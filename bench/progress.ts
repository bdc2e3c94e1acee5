/** Shows how far a run is: a bar at the bottom of a terminal, else a line for each piece of work. */
import { SingleBar } from 'cli-progress';

export interface Progress {
  /** The next piece of work begins. */
  next(what: string): void;
  /** What is going on within it. */
  now(what: string): void;
  /** Prints with the bar out of the way. */
  print(print: () => void): void;
  stop(): void;
}

export function startProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  let done = -1;
  if (!stream.isTTY) {
    return {
      next: (what) => void stream.write(`[${++done + 1}/${total}] ${what} …\n`),
      now() {},
      print: (print) => print(),
      stop() {},
    };
  }
  const bar = new SingleBar({
    format: '{bar} {value}/{total}  {what}',
    stream,
    clearOnComplete: true,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
  });
  let what = '';
  bar.start(total, 0, { what });
  const show = (text: string) => {
    what = text;
    bar.update(done, { what });
    bar.render(); // what follows may keep the process too busy for the bar's own timer
  };
  return {
    next(text) {
      done++;
      show(text);
    },
    now: show,
    print(print) {
      bar.stop();
      print();
      bar.start(total, Math.max(0, done), { what });
    },
    stop: () => bar.stop(),
  };
}
