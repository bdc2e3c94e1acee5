/**
 * AdamW (arXiv 1711.05101): Adam with bias correction and decoupled weight decay, as torch.optim.AdamW.
 *
 *   p ← p − lr·wd·p;   m ← β₁m + (1−β₁)g;   v ← β₂v + (1−β₂)g²;   p ← p − lr·m̂/(√v̂ + ε)
 *
 * Parameters come in groups, each with its own learning-rate factor and weight decay: the paper gives the ViT a tenth
 * of the rate, and norm weights and biases no decay.
 */
import { Tensor } from '../../tensor/index.ts';
import type { Optimizer, OptimizerState, ParameterGroup } from './optimizer.ts';

/** Settings of {@link AdamW}; defaults as in PyTorch where a field may be left out. */
export interface AdamWConfig {
  /** Default (0.9, 0.95), the paper's. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
}

interface Moments {
  readonly m: Tensor;
  readonly v: Tensor;
  /** Updates of this parameter: the t of its bias corrections. */
  step: number;
}

/** Adam with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101). */
export class AdamW implements Optimizer {
  readonly groups: readonly ParameterGroup[];
  readonly #betas: readonly [number, number];
  readonly #eps: number;
  readonly #moments = new Map<string, Moments>();
  #step = 0;

  /** @throws Error where two groups hold one name */
  constructor(groups: readonly ParameterGroup[], config: AdamWConfig = {}) {
    this.groups = groups;
    this.#betas = config.betas ?? [0.9, 0.95];
    this.#eps = config.eps ?? 1e-8;
    const names = groups.flatMap((group) => [...group.parameters.keys()]);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new Error(`AdamW(groups): parameter ${twice} is in two groups`);
  }

  get stepCount(): number {
    return this.#step;
  }

  /**
   * One update with the learning rate `lr` from the gradients that are there; a parameter without one stays, and its bias
   * corrections count only the steps in which it had one. Where there is no memory for the moments it throws, and nothing
   * has changed.
   */
  step(lr: number): void {
    for (const { parameters } of this.groups) {
      for (const [name, p] of parameters) if (p.grad !== null) this.#momentsOf(name, p);
    }
    this.#step++;
    for (const { parameters, lrScale = 1, weightDecay = 0 } of this.groups) {
      for (const [name, p] of parameters) {
        if (p.grad === null) continue;
        const moments = this.#momentsOf(name, p);
        moments.step++;
        p.backend.adamw(p.view, p.grad.view, moments.m.view, moments.v.view, {
          lr: lr * lrScale,
          beta1: this.#betas[0],
          beta2: this.#betas[1],
          eps: this.#eps,
          weightDecay,
          step: moments.step,
        });
        p.wasWritten();
      }
    }
  }

  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const p of parameters.values()) p.zeroGrad();
  }

  #momentsOf(name: string, p: Tensor): Moments {
    let moments = this.#moments.get(name);
    if (moments === undefined) {
      const zeros = () => new Tensor(p.backend, p.backend.fill(p.shape, 0, p.dtype));
      const [m, v] = [zeros(), zeros()];
      moments = { m: m.keep(), v: v.keep(), step: 0 };
      this.#moments.set(name, moments);
    }
    return moments;
  }

  /** Step number, and NAME.m and NAME.v of each parameter that ever had a gradient. */
  state(): OptimizerState {
    const tensors = new Map<string, Tensor>();
    const skipped = new Map<string, number>();
    for (const [name, { m, v, step }] of this.#moments) {
      tensors.set(`${name}.m`, m).set(`${name}.v`, v);
      if (step < this.#step) skipped.set(name, this.#step - step);
    }
    return skipped.size === 0 ? { step: this.#step, tensors } : { step: this.#step, tensors, skipped };
  }

  /**
   * @throws RangeError for a step, or a number of skipped steps, that is none; Error for a moment of an unknown parameter,
   *   of another shape, or without the other one
   */
  checkState({ step, tensors, skipped = new Map() }: OptimizerState): void {
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(`AdamW.loadState: step is ${step}, expected a whole number from 0 on`);
    }
    const parameters = this.#parameters();
    for (const [key, tensor] of tensors) {
      const name = key.slice(0, -2);
      const p = parameters.get(name);
      if (p === undefined || !/\.[mv]$/.test(key))
        throw new Error(`AdamW.loadState: ${key} belongs to no parameter of this optimiser`);
      if (String(p.shape) !== String(tensor.shape)) {
        throw new Error(`AdamW.loadState: ${key} is [${tensor.shape}], the parameter is [${p.shape}]`);
      }
      const other = `${name}${key.endsWith('.m') ? '.v' : '.m'}`;
      if (!tensors.has(other)) throw new Error(`AdamW.loadState: ${key} is there, but not ${other}`);
    }
    for (const [name, steps] of skipped) {
      if (!tensors.has(`${name}.m`))
        throw new Error(`AdamW.loadState: skipped names ${name}, which has no moments`);
      if (!Number.isSafeInteger(steps) || steps < 0 || steps > step) {
        throw new RangeError(`AdamW.loadState: skipped has ${steps} steps of ${name}, expected 0 to ${step}`);
      }
    }
  }

  /**
   * Goes on from a state: moments that it lacks are zero, as they were when it was saved.
   * @throws Error as `checkState`; nothing has changed then
   */
  loadState(state: OptimizerState): void {
    this.checkState(state);
    for (const [name, { m, v }] of this.#moments) {
      if (state.tensors.has(`${name}.m`)) continue;
      m.dispose();
      v.dispose();
      this.#moments.delete(name);
    }
    for (const [name, p] of this.#parameters()) {
      const [m, v] = [state.tensors.get(`${name}.m`), state.tensors.get(`${name}.v`)];
      if (m === undefined || v === undefined) continue;
      const moments = this.#momentsOf(name, p);
      moments.m.assign(m);
      moments.v.assign(v);
      moments.step = state.step - (state.skipped?.get(name) ?? 0);
    }
    this.#step = state.step;
  }
  #parameters(): Map<string, Tensor> {
    return new Map(this.groups.flatMap(({ parameters }) => [...parameters]));
  }

  dispose(): void {
    for (const { m, v } of this.#moments.values()) {
      m.dispose();
      v.dispose();
    }
    this.#moments.clear();
    this.#step = 0;
  }
}
