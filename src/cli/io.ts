/** What a command may use of its surroundings; specs run commands with one of their own. */
export interface CliIo {
  /** Results. */
  out(text: string): void;
  /** Errors and progress. */
  err(text: string): void;
  /** Where a progress bar may be drawn; absent where errors do not go to a terminal. */
  readonly barStream?: NodeJS.WritableStream;
  /** Whether results may hold colour codes. */
  readonly color: boolean;
  /** Whether those may be any of 2²⁴ colours. */
  readonly trueColor: boolean;
}

/** One run of the program: its surroundings and the exit status so far. */
export interface Session extends CliIo {
  status: number;
  /** What is left to do when the command ends, in this order. */
  readonly closing: (() => Promise<void>)[];
}

/** The command line contradicts itself or names what does not exist: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Says what went wrong and makes the exit status 1; the command may go on with what is left. */
export function fail(session: Session, error: unknown): void {
  session.err(`cogvlm: ${error instanceof Error ? error.message : String(error)}\n`);
  session.status = 1;
}

type Color = 'red' | 'green' | 'dim' | 'bold';

const CODES: Readonly<Record<Color, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
};

/** Colours text where the output takes colours. */
export function paint({ color }: Pick<CliIo, 'color'>, name: Color, text: string): string {
  const [on, off] = CODES[name];
  return color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}
