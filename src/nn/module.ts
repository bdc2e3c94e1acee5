/**
 * The one base class of everything with weights. Fields are the structure: a field holding a `Parameter`, a module or
 * an array of modules is part of it, and its name is a segment of the path, as in the checkpoint
 * ("model.layers.3.self_attn.language_expert_dense.weight").
 */
import { currentModulePath, insideModule, modulePass, type Named, Tensor } from '../tensor/index.ts';

/** A weight: a leaf that the optimiser may change. Holds a copy, rounded to its dtype. */
export class Parameter extends Tensor {
  constructor(values: Tensor, trainable = true) {
    super(values.backend, values.backend.cast(values.view, values.dtype), null, trainable);
    this.keep();
  }

  /** Whether it holds other numbers than it was made with: a checkpoint's, say. */
  get wasAssigned(): boolean {
    return this.version > 0;
  }
}

/** A constant that belongs to the checkpoint but is never trained (rotary frequencies). */
export class Constant extends Tensor {
  constructor(values: Tensor) {
    super(values.backend, values.backend.cast(values.view, values.dtype), null, false);
    this.keep();
  }
}

/** Told of every module's output, in the order in which they finish. */
export type Tap = (path: string, output: unknown, module: AnyModule) => void;

/** Told of every call and its arguments before the module computes, so of those that then fail, too. */
export type CallTap = (path: string, module: AnyModule, args: readonly unknown[]) => void;

const taps = new Set<Tap>();
const callTaps = new Set<CallTap>();

/**
 * Runs `fn` while `tap` listens to every module called in it; where `fn` is async until its promise settles, to whatever
 * else runs meanwhile too. Costs nothing when nobody listens.
 */
export function withTap<R>(tap: Tap, fn: () => R): R {
  return listening(taps, tap, fn);
}

/** The same for a tap of calls. */
export function withCallTap<R>(tap: CallTap, fn: () => R): R {
  return listening(callTaps, tap, fn);
}

function listening<T, R>(listeners: Set<T>, listener: T, fn: () => R): R {
  listeners.add(listener);
  const stop = () => listeners.delete(listener);
  let result: R;
  try {
    result = fn();
  } catch (error) {
    stop();
    throw error;
  }
  if (result instanceof Promise) return result.finally(stop) as R;
  stop();
  return result;
}

/** Modules called since the outermost of them was, and what taps were told meanwhile. */
const called = new Set<AnyModule>();
const told: unknown[] = [];

/** A part of a model: parameters and modules in fields named like the segments of checkpoint keys, and `forward`. */
export abstract class Module<Args extends readonly unknown[], Out> implements Named {
  /** The equation. Called through `call`, so that messages and taps know where they are. */
  abstract forward(...args: Args): Out;

  /**
   * Runs `forward`. What the outermost module makes on the way is given back when it returns, or by `backward()` where a
   * gradient needs it; what it returns, and tensors that modules hold in their fields, stay.
   */
  call(...args: Args): Out {
    if (called.size > 0) return this.#run(args);
    try {
      return modulePass(() => this.#run(args), { args, modules: called, told });
    } finally {
      called.clear();
      told.length = 0;
    }
  }

  #run(args: Args): Out {
    called.add(this);
    return insideModule(this, () => {
      if (callTaps.size > 0) told.push(args);
      for (const tap of callTaps) tap(currentModulePath(), this, args);
      const out = this.forward(...args);
      if (taps.size > 0) told.push(out);
      for (const tap of taps) tap(currentModulePath(), out, this);
      return out;
    });
  }

  /** Name of a direct submodule, as in `children`. */
  nameOf(part: Named): string | undefined {
    for (const [name, child] of this.children()) if (child === part) return name;
    return undefined;
  }

  /** Direct submodules with their names; those of an array field are "layers.0", "layers.1", … */
  *children(): Iterable<[string, AnyModule]> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Module) yield [field, value];
      else if (Array.isArray(value)) {
        for (const [i, item] of value.entries()) if (item instanceof Module) yield [`${field}.${i}`, item];
      }
    }
  }

  /** Every weight and constant below, by path, depth first in the order of the fields. */
  *state(prefix = ''): Iterable<[string, Parameter | Constant]> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Parameter || value instanceof Constant) yield [prefix + field, value];
    }
    for (const [name, child] of this.children()) yield* child.state(`${prefix}${name}.`);
  }

  /** The weights, by path. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [path, value] of this.state()) if (value instanceof Parameter) found.set(path, value);
    return found;
  }

  /** Freezes or unfreezes every weight below. */
  requireGrad(on: boolean): this {
    for (const parameter of this.namedParameters().values()) parameter.requiresGrad = on;
    return this;
  }

  zeroGrad(): void {
    for (const parameter of this.namedParameters().values()) parameter.zeroGrad();
  }

  /** Gives back the memory of every weight and constant below, gradients too; the module is of no use afterwards. */
  dispose(): void {
    for (const [, tensor] of this.state()) {
      tensor.zeroGrad();
      tensor.dispose();
    }
  }

  stateDict(): Map<string, Tensor> {
    return new Map(this.state());
  }

  /**
   * Copies values into the weights and says what did not fit. Strict (the default): every key must be there, none beside
   * them, all of the right shape; what is wrong is listed together, and nothing is changed. Not strict: what fits by key and
   * shape is copied, the rest stays as it is and is in the report; that nothing at all fits is an error there, too.
   * @throws StateDictError
   */
  loadStateDict(values: ReadonlyMap<string, Tensor>, options: LoadStateDictOptions = {}): StateDictReport {
    const { strict = true } = options;
    const own = this.stateDict();
    const report: StateDictReport = {
      missing: [...own.keys()].filter((key) => !values.has(key)),
      unexpected: [...values.keys()].filter((key) => !own.has(key)),
      misshapen: [...own].flatMap(([key, { shape }]) => {
        const got = values.get(key)?.shape;
        return got === undefined || String(got) === String(shape) ? [] : [{ key, expected: shape, got }];
      }),
    };
    const { missing, unexpected, misshapen } = report;
    const problems = missing.length + unexpected.length + misshapen.length;
    if (strict && problems > 0) throw new StateDictError(report);
    const left = new Set([...missing, ...misshapen.map(({ key }) => key)]);
    if (problems > 0 && left.size === own.size) throw new StateDictError(report, 'nothing fits the model');
    for (const [key, tensor] of own) {
      if (!left.has(key)) tensor.assign((values.get(key) as Tensor).to(tensor.dtype));
    }
    return report;
  }
}

/** A module of whatever arguments. */
export type AnyModule = Module<never, unknown>;

export interface LoadStateDictOptions {
  /** Whether anything that does not fit is an error. Default true. */
  readonly strict?: boolean;
}

/** Keys that a model has and the values lack, that only the values have, and those of both whose shapes differ. */
export interface StateDictReport {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly { key: string; expected: readonly number[]; got: readonly number[] }[];
}

/** The keys or shapes of a checkpoint are not those of the model. */
export class StateDictError extends Error implements StateDictReport {
  override readonly name = 'StateDictError';
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: StateDictReport['misshapen'];

  constructor(report: StateDictReport, summary = 'checkpoint does not fit the model') {
    const lines = [
      ...report.missing.map((key) => `  missing     ${key}`),
      ...report.unexpected.map((key) => `  unexpected  ${key}`),
      ...report.misshapen.map(
        ({ key, expected, got }) => `  misshapen   ${key}: is [${got}], expected [${expected}]`,
      ),
    ];
    super(
      `${summary}: ${report.missing.length} missing, ${report.unexpected.length} unexpected, ` +
        `${report.misshapen.length} misshapen\n${lines.join('\n')}`,
    );
    this.missing = report.missing;
    this.unexpected = report.unexpected;
    this.misshapen = report.misshapen;
  }
}
