/** A driver in a process of its own, spoken to by lines of JSON. (Node only) */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Channel, Failure } from './channel.ts';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const running = new Set<ChildChannel>();

/** Ends every driver now. @param why what those are told who wait for one */
export function killAll(why?: string): void {
  for (const channel of running) channel.stop(why);
}

export class ChildChannel implements Channel {
  readonly #child: ChildProcess;
  /** The last of what it said on its standard error. */
  #said = '';
  #settle: ((answer: object) => void) | undefined;
  #gone: string | undefined;

  constructor({ command, args, env }: Command) {
    this.#child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    running.add(this);
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
    answers.on('line', (line) => this.#answer(JSON.parse(line)));
  }

  async ask(request: object, limit: number): Promise<object> {
    if (this.#gone !== undefined) throw new Error(this.#gone);
    const answer = await new Promise<object>((resolve) => {
      const timer = setTimeout(() => {
        this.stop();
        this.#answer({ error: `took longer than ${limit} s` } satisfies Failure);
      }, 1000 * limit);
      this.#settle = (value) => {
        clearTimeout(timer);
        resolve(value);
      };
      this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    });
    if ('error' in answer) throw new Error(String(answer.error));
    return answer;
  }

  stop(why?: string): void {
    this.#gone ??= why;
    this.#child.kill('SIGKILL');
  }

  #answer(answer: object): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(answer);
  }

  #end(why: string): void {
    running.delete(this);
    this.#gone ??= why;
    this.#answer({ error: this.#gone } satisfies Failure);
  }
}
