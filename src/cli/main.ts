#!/usr/bin/env node
/** The `cogvlm` binary. */
import { run } from './run.ts';

const { stdout, stderr, env } = process;

// `cogvlm … | head` closes the pipe early; that is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  ...(stderr.isTTY ? { barStream: stderr } : {}),
  color: stdout.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb',
});
