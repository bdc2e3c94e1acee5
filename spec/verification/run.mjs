/** npm run verify */
import { runProgram } from '../support/program.mjs';

await runProgram(new URL('main.ts', import.meta.url), process.argv.slice(2));
