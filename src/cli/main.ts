#!/usr/bin/env node
/** The `cogvlm` binary. */
import { run } from './run.ts';

const { stdout, stderr } = process;
/** Bits per colour; 1 where there are none, which NO_COLOR and TERM=dumb ask for. */
const colorDepth = stdout.isTTY ? stdout.getColorDepth() : 1;

// `cogvlm … | head` closes the pipe early; that is no error.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
  throw error;
});

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => void stdout.write(text),
  err: (text) => void stderr.write(text),
  ...(stderr.isTTY ? { barStream: stderr } : {}),
  color: colorDepth > 1,
  trueColor: colorDepth >= 24,
});
