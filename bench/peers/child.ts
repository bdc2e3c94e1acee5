/** A driver in a process of its own, spoken to by lines of JSON. (Node only) */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Contestant } from './contestants.ts';
import type { Answer, Prepared, Request } from './serve.ts';

const running = new Set<ChildProcess>();

/** Ends every driver now. */
export function killAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

export class Driver {
  readonly #child: ChildProcess;
  /** The last of what it said on its standard error. */
  #said = '';
  #settle: ((answer: Answer) => void) | undefined;
  #gone: string | undefined;

  constructor({ command, args, env }: Contestant) {
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.#child.stderr?.on('data', (text) => {
      this.#said = (this.#said + text).slice(-2000);
    });
    this.#child.stdin?.on('error', () => {}); // the exit says it
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) => {
      const why = this.#said.match(/^.*Error.*$/m)?.[0] ?? this.#said.trim().split('\n').at(-1) ?? '';
      this.#end(`ended with ${signal ?? `status ${code}`}${why === '' ? '' : `: ${why.slice(0, 160)}`}`);
    });
    const answers = createInterface({ input: this.#child.stdio[3] as Readable });
    answers.on('line', (line) => this.#answer(JSON.parse(line) as Answer));
  }

  /** @throws Error with what the driver says, that it ended, or that it took longer than so many seconds */
  async prepare(spec: Extract<Request, { do: 'prepare' }>['spec'], limit: number): Promise<Prepared> {
    return (await this.#ask({ do: 'prepare', spec }, limit)) as Prepared;
  }

  /** Milliseconds of calls. @throws as `prepare` */
  async sample(request: Omit<Extract<Request, { do: 'sample' }>, 'do'>, limit: number): Promise<number[]> {
    const answer = await this.#ask({ do: 'sample', ...request }, limit);
    return [...(answer as { samples: readonly number[] }).samples];
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  async #ask(request: Request, limit: number): Promise<Answer> {
    if (this.#gone !== undefined) throw new Error(this.#gone);
    const answer = await new Promise<Answer>((resolve) => {
      const timer = setTimeout(() => {
        this.stop();
        this.#answer({ error: `took longer than ${limit} s` });
      }, 1000 * limit);
      this.#settle = (value) => {
        clearTimeout(timer);
        resolve(value);
      };
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  #answer(answer: Answer): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }

  #end(why: string): void {
    running.delete(this.#child);
    this.#gone ??= why;
    this.#answer({ error: why });
  }
}
