/**
 * Running a model's modules one by one: a forward pass of the whole single sample tells with which arguments each module
 * is called, and then each runs again, alone, on an input from elsewhere. A module that throws is told from one that is
 * not reached because another threw.
 */
import { sizeOf } from '../../kernels/index.ts';
import type { CogVLM } from '../../models/cogvlm/index.ts';
import { type AnyModule, type Module, withCallTap, withTap } from '../../nn/index.ts';
import { insideModule, noGrad, scope, Tensor } from '../../tensor/index.ts';
import type { Lack, Numbers, Truth } from '../finding.ts';
import type { GoldenCase } from '../golden.ts';
import type { FloatDType } from '../samples.ts';

export interface WholeRun {
  readonly calls: ReadonlyMap<string, { readonly module: AnyModule; readonly args: readonly unknown[] }>;
  readonly outputs: ReadonlyMap<string, unknown>;
  /** What stopped it, if anything did. */
  readonly error: Error | null;
}

/** One forward pass of the single sample; of a module called more than once, its first call. */
export function runWhole(model: CogVLM, { input_ids, token_type_ids }: GoldenCase, pixels: Tensor): WholeRun {
  const calls = new Map<string, { module: AnyModule; args: readonly unknown[] }>();
  const outputs = new Map<string, unknown>();
  const forward = () => model.call({ ids: [input_ids], types: [token_type_ids], pixels });
  let error: Error | null = null;
  try {
    noGrad(() =>
      withCallTap(
        (path, module, args) => calls.has(path) || calls.set(path, { module, args }),
        () => withTap((path, output) => outputs.has(path) || outputs.set(path, output), forward),
      ),
    );
  } catch (reason) {
    error = reason instanceof Error ? reason : new Error(String(reason));
  }
  return { calls, outputs, error };
}

/** Numbers, or why there are none: what was thrown instead of them, or why the module was not called. */
export type Outcome = Numbers | (Lack & { readonly blocked: boolean });

/** One module on `input`; on what the whole run gave it where that is null. */
export async function runModule(
  { calls, outputs, error }: WholeRun,
  path: string,
  input: Truth | null,
  dtype: FloatDType,
): Promise<{ out: Outcome; din: Outcome | null }> {
  const call = calls.get(path);
  if (call === undefined) {
    const note =
      error === null ? 'the model has called no such module' : `the run stopped before it: ${error.message}`;
    const none: Outcome = { status: 'MISSING', note, blocked: error !== null };
    return { out: none, din: input && none };
  }
  if (input === null) {
    const finished = outputs.has(path) ? outputs.get(path) : Promise.reject(error);
    return { out: await attempt(() => numbers(finished)), din: null };
  }
  return alone(path, call.module as unknown as Module<unknown[], unknown>, call.args, input, dtype);
}

async function alone(
  path: string,
  module: Module<unknown[], unknown>,
  [, ...context]: readonly unknown[],
  input: Truth,
  dtype: FloatDType,
): Promise<{ out: Outcome; din: Outcome }> {
  return scope(async () => {
    const x = Tensor.fromArray(input.data, input.shape, { dtype, requiresGrad: true });
    let output: unknown;
    const out = await attempt(() => {
      output = insideModule(module, () => module.forward(x, ...context), path);
      return numbers(output);
    });
    if (!(output instanceof Tensor)) return { out, din: out };
    const y = output;
    const din = await attempt(() => {
      y.backward(outputGradient(y.shape, dtype));
      return numbers(x.grad ?? Tensor.zeros(x.shape, { dtype }));
    });
    x.zeroGrad(); // a leaf's gradient outlives the scope
    return { out, din };
  });
}

/** The gradient of the output; needs no storage and is exact in float32. */
function outputGradient(shape: readonly number[], dtype: FloatDType): Tensor {
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, i) => (((i * 7919) % 1009) - 504) / 512);
  return Tensor.fromArray(values, shape, { dtype });
}

async function numbers(value: unknown): Promise<Numbers> {
  const x = await value;
  if (!(x instanceof Tensor)) throw new TypeError(`returned ${typeof x}, not a tensor`);
  return { shape: x.shape, data: await x.read() };
}

async function attempt(compute: () => Promise<Numbers>): Promise<Outcome> {
  try {
    return await compute();
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error);
    return { status: 'SHAPE', note, blocked: false };
  }
}
