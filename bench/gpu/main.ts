/** `npm run bench:gpu`: this library on the machine's GPU, right and how fast, beside others on WebGPU. (Node only) */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { replaceFile } from '../../src/data/replaceFile.ts';
import { pattern, seconds } from '../options.ts';
import { killAll } from '../peers/child.ts';
import { type Contestant, OURS } from '../peers/compare.ts';
import { headline, machine } from '../report.ts';
import { Budget } from './budget.ts';
import { findChromiumHost } from './chromiumHost.ts';
import { type Attempt, HOST_NAMES, type Host, type HostName } from './host.ts';
import { findNodeHost } from './nodeHost.ts';
import { findPeers, PEERS } from './peers.ts';
import { adapterLines } from './report.ts';
import { gpuRows } from './rows.ts';
import { missing, vulkanParts } from './vulkan.ts';
import { type Draft, timeRows, verifyFolders } from './work.ts';

interface Options {
  readonly software: boolean;
  readonly seconds: number;
  readonly host?: HostName;
  readonly only?: RegExp;
  readonly limit: number;
  readonly peers: boolean;
  readonly verify: boolean;
  readonly json: string;
}

/** The ops and modules alone and in whole models come first; the rest if time remains after the timing. */
const FIRST_FOLDERS = ['modules', 'ops', 'cogvlm', 'cogvlm2'];
const LAST_FOLDERS = ['training', 'onnx'];
/** Of the time there is, at most: for the installation of the others, and for the first folders. */
const INSTALL_SHARE = 0.35;
const VERIFY_SHARE = 0.45;

const print = (...lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);

async function findHost(
  { host, software }: Options,
  scratch: string,
  tell: (attempt: Attempt) => void,
): Promise<Host | null> {
  const dir = fileURLToPath(new URL('.', import.meta.url));
  const found = host === 'chromium' ? null : await findNodeHost(dir, scratch, software, tell);
  return found ?? (host === 'node' ? null : await findChromiumHost(software, tell));
}

/** What there is to do about it. */
function withoutGpu(options: Options, attempts: readonly Attempt[]): string[] {
  const lines = attempts.map(({ host, setting, found }) => `  ${host}, ${setting}: ${found}`);
  const advice = process.platform === 'linux' ? missing(vulkanParts()).map((one) => `  ${one}`) : [];
  return [
    options.software ? 'No WebGPU adapter here, nor one of software.' : 'No GPU that WebGPU can use here.',
    'looked for:',
    ...(lines.length > 0 ? lines : ['  node: nothing to try without a Vulkan loader']),
    ...(advice.length > 0 ? ['missing:', ...advice] : []),
    ...(options.software ? [] : ['--software runs the same on the processor, with small sizes.']),
  ];
}

function nvidiaSmi(): string[] {
  const query = ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'];
  try {
    const said = execFileSync('nvidia-smi', query, {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return said.trim().split('\n');
  } catch {
    return [];
  }
}

async function contestants(
  host: Host,
  options: Options,
  budget: Budget,
  report: Draft,
): Promise<Contestant[]> {
  const folder = resolve('bench/peers');
  const time = options.peers ? INSTALL_SHARE * budget.left : 0;
  const { found, absent } = options.peers
    ? await findPeers(folder, time)
    : { found: [], absent: PEERS.map(({ name }) => ({ name, why: '--no-peers' })) };
  for (const { name, why } of absent) {
    report.skipped.push({ what: name, why });
    print(`${name}: left out, ${why}`);
  }
  const entries = found.map(({ library, entry }) => [library, join(folder, 'webgpu', entry[host.name])]);
  if (found.length > 0) await host.addPeers(Object.fromEntries(entries));
  return [{ name: OURS, library: 'ours' } as const, ...found].map(({ name, library }) => ({
    name,
    threads: 1,
    absent: {},
    open() {
      const refusal = budget.refusal(1);
      if (refusal !== null) throw new Error(refusal);
      return host.open(library);
    },
  }));
}

async function bench(options: Options, scratch: string): Promise<void> {
  const budget = new Budget(options.seconds);
  const attempts: Attempt[] = [];
  const where = machine();
  print(headline(where));
  const host = await findHost(options, scratch, (attempt) => attempts.push(attempt));
  if (host === null) return print(...withoutGpu(options, attempts));
  const { name, description, adapter } = host;
  const timing = { rounds: 3, seconds: options.software ? 0.1 : 0.25 };
  const report: Draft = {
    schema: 'cogvlm-ts bench-gpu 1',
    made: new Date().toISOString(),
    seconds: 0,
    secondsGiven: options.seconds,
    machine: where,
    nvidia: nvidiaSmi(),
    host: { name, description },
    adapter,
    attempts,
    verify: [],
    timing,
    rows: [],
    skipped: [],
  };
  print(
    `host: ${description}`,
    ...adapterLines(adapter),
    ...report.nvidia.map((line) => `nvidia-smi: ${line}`),
    '',
  );
  // Whatever hangs ends with the time there is; what was found until then is written.
  const end = setTimeout(() => host.stopAll('time ran out'), 1000 * budget.left);
  try {
    const on = await contestants(host, options, budget, report);
    if (options.verify) await verifyFolders(host, FIRST_FOLDERS, budget.part(VERIFY_SHARE), report, print);
    const rows = gpuRows(options.software).filter(({ name }) => options.only?.test(name) ?? true);
    await timeRows(rows, on, { ...timing, limit: options.limit, compiles: true }, budget, report, print);
    print('');
    if (options.verify) await verifyFolders(host, LAST_FOLDERS, budget, report, print);
  } finally {
    clearTimeout(end);
    await host.close();
  }
  report.seconds = options.seconds - budget.left;
  await replaceFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  print('', `${options.json} has all of it; ${report.seconds.toFixed(0)} s of ${options.seconds}`);
}

const program = new Command('npm run bench:gpu --')
  .description(
    "Asks the machine's GPU by WebGPU: what it is, whether this library computes right on it, and how fast, beside\n" +
      'TensorFlow.js and jax-js. Without a GPU it says what is missing.',
  )
  .option('--software', 'take an adapter that computes on the processor, too, and small sizes', false)
  .option('--seconds <n>', 'time for all of it', seconds, 225)
  .addOption(
    new Option('--host <name>', 'where WebGPU is looked for (default: node, then chromium)').choices(
      HOST_NAMES,
    ),
  )
  .option('--only <regex>', 'time rows whose name matches, case aside', pattern)
  .option('--limit <n>', 'leave out what takes more seconds for a call', seconds, 5)
  .option('--no-peers', 'this library alone')
  .option('--no-verify', 'only time')
  .option('--json <file>', 'where the figures go', 'bench-gpu.json');

process.on('exit', () => killAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

const scratch = mkdtempSync(join(tmpdir(), 'cogvlm-bench-gpu-'));
try {
  await bench(program.parse().opts<Options>(), scratch);
} catch (error) {
  process.stderr.write(`bench:gpu: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
process.exit();
