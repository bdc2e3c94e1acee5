/** Which backend a command runs on: its options, and what comes before and after its work. */
import { type Command, Option } from 'commander';
import {
  BACKEND_NAMES,
  type Backend,
  type BackendName,
  type BackendOptions,
  createBackend,
  type DType,
  type GpuJsOptions,
  isWasmSupported,
} from '../kernels/index.ts';
import { installWebGpu } from '../kernels/node.ts';
import { setBackend } from '../tensor/index.ts';
import { type Session, UsageError } from './io.ts';
import { wholeNumber } from './numbers.ts';

/** What computes where nothing is said. */
const DEFAULT_BACKEND: BackendName = isWasmSupported() ? 'wasm' : 'cpu';

type Mode = NonNullable<GpuJsOptions['mode']>;
const MODES: readonly Mode[] = ['auto', 'sync', 'webgpu', 'webgl2', 'headlessgl', 'webasm', 'cpu'];

export interface BackendCliOptions {
  readonly backend: BackendName;
  readonly strict?: true;
  readonly simd?: 'relaxed' | 'plain';
  readonly threads?: number;
  readonly mode?: Mode;
}

/** --backend, and the options of each. */
export function addBackendOptions(command: Command, fallback = DEFAULT_BACKEND): Command {
  return command
    .addOption(new Option('--backend <name>', 'what computes').choices(BACKEND_NAMES).default(fallback))
    .option('--strict', 'cpu: round every result to its dtype (docs/numerics.md)')
    .addOption(
      new Option(
        '--simd <kind>',
        'wasm: with fused multiply-add or without (default: with, where the engine has it)',
      ).choices(['relaxed', 'plain']),
    )
    .addOption(
      new Option('--threads <n>', 'wasm: threads that share the work (default: one a core)').argParser(
        wholeNumber,
      ),
    )
    .addOption(
      new Option('--mode <name>', 'gpujs: what it runs on; webgpu needs a Vulkan driver').choices(MODES),
    );
}

/**
 * Makes the backend of the options the one that new tensors are made on. What gpujs runs on is told.
 * @throws UsageError for options that the backend does not have
 */
export async function chooseBackend(session: Session, options: BackendCliOptions): Promise<Backend> {
  const name = options.backend;
  refuse(name, 'cpu', options.strict === undefined ? undefined : '--strict');
  refuse(name, 'wasm', options.simd === undefined ? undefined : '--simd');
  refuse(name, 'wasm', options.threads === undefined ? undefined : '--threads');
  refuse(name, 'gpujs', options.mode === undefined ? undefined : '--mode');
  const made: BackendOptions = {
    ...(options.strict ? { cpu: { strict: true } } : {}),
    wasm: {
      ...(options.simd === undefined ? {} : { relaxed: options.simd === 'relaxed' }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    },
    ...(options.mode === undefined ? {} : { gpujs: { mode: options.mode } }),
  };
  if (options.mode === 'webgpu') session.closing.push(await installWebGpu());
  const chosen = options.strict ?? options.simd ?? options.threads ?? options.mode;
  const backend = await setBackend(chosen === undefined ? name : await createBackend(name, made));
  if (name === 'gpujs') {
    session.err(`${backend.describe()}\n`);
    if (options.mode === 'webgpu') session.closing.unshift(() => destroyed(backend));
  }
  return backend;
}

/** The backend of the options as a line of text names it: "wasm", "cpu, strict". */
export function backendText({ backend, strict }: BackendCliOptions, name: string = backend): string {
  return strict ? `${name}, strict` : name;
}

/** @throws UsageError where the backend does not compute in what --dtype asks for */
export function requireComputes({ name, dtypes }: Backend, dtype: DType): void {
  if (dtypes.includes(dtype)) return;
  throw new UsageError(
    `--dtype: the ${name} backend computes in ${dtypes.join(', ')}, not in ${dtype}; --backend cpu does`,
  );
}

function refuse(name: BackendName, owner: BackendName, option: string | undefined): void {
  if (option === undefined || name === owner) return;
  throw new UsageError(`${option} is an option of the ${owner} backend, not of ${name}`);
}

async function destroyed(backend: Backend): Promise<void> {
  if ('destroy' in backend && typeof backend.destroy === 'function') await backend.destroy();
}
