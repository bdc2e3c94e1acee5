/** The program: commands, and what becomes of errors. */
import { Command, CommanderError } from 'commander';
import { getBackend, setBackend } from '../tensor/index.ts';
import { addAsk } from './ask.ts';
import { addCaption } from './caption.ts';
import { addDemo } from './demo.ts';
import { addInfo } from './info.ts';
import { type CliIo, fail, type Session, UsageError } from './io.ts';
import { packageVersion } from './options.ts';
import { addVerify } from './verify.ts';

const USAGE_STATUS = 2;

/**
 * Runs one command line, without the program's name.
 * @returns the exit status: 0; 1 where something failed or is not OK; 2 where the command line is wrong
 */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const session: Session = { ...io, status: 0, closing: [] };
  const backend = getBackend();
  try {
    await program(session).parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_STATUS; // it has told
    fail(session, error);
    return error instanceof UsageError ? USAGE_STATUS : session.status;
  } finally {
    await setBackend(backend);
    for (const close of session.closing) await close();
  }
  return session.status;
}

function program(session: Session): Command {
  const root = new Command('cogvlm')
    .description('CogVLM: a visual language model in TypeScript.')
    .version(packageVersion(), '--version')
    .exitOverride()
    .configureOutput({ writeOut: session.out, writeErr: session.err })
    .showHelpAfterError('(--help tells more)');
  addCaption(root, session);
  addAsk(root, session);
  addInfo(root, session);
  addVerify(root, session);
  addDemo(root, session);
  return root;
}
