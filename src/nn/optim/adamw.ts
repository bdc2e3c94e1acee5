/**
 * AdamW (arXiv 1711.05101): Adam with bias correction and decoupled weight decay, as torch.optim.AdamW.
 *
 *   p ← p − lr·wd·p;   m ← β₁m + (1−β₁)g;   v ← β₂v + (1−β₂)g²;   p ← p − lr·m̂/(√v̂ + ε)
 *
 * Parameters come in groups, each with its own learning-rate factor and weight decay: the paper gives the ViT a tenth
 * of the rate, and norm weights and biases no decay.
 */
import { Tensor } from '../../tensor/tensor.ts';

export interface ParameterGroup {
  /** By name, so that state can be saved and found again. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Multiplies the learning rate; default 1. */
  readonly lrScale?: number;
  /** Default 0. */
  readonly weightDecay?: number;
}

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

/** What an optimiser needs to go on. */
export interface AdamWState {
  /** Steps taken. */
  readonly step: number;
  /** NAME.m and NAME.v of each parameter that ever had a gradient. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Steps in which a parameter with moments had no gradient, where there were any; default none. */
  readonly skipped?: ReadonlyMap<string, number>;
}

export class AdamW {
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

  /** Steps taken so far. */
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

  /** Step number and moments, to go on later exactly from here. */
  state(): AdamWState {
    const tensors = new Map<string, Tensor>();
    const skipped = new Map<string, number>();
    for (const [name, { m, v, step }] of this.#moments) {
      tensors.set(`${name}.m`, m).set(`${name}.v`, v);
      if (step < this.#step) skipped.set(name, this.#step - step);
    }
    return skipped.size === 0 ? { step: this.#step, tensors } : { step: this.#step, tensors, skipped };
  }

  /**
   * Goes on from a state: moments that it lacks are zero, as they were when it was saved.
   * @throws Error for a moment of an unknown parameter, of another shape, or without the other one; nothing has changed then
   */
  loadState(state: AdamWState): void {
    const parameters = new Map(this.groups.flatMap((group) => [...group.parameters]));
    for (const [key, tensor] of state.tensors) {
      const name = key.slice(0, -2);
      const p = parameters.get(name);
      if (p === undefined)
        throw new Error(`AdamW.loadState: ${key} belongs to no parameter of this optimiser`);
      if (String(p.shape) !== String(tensor.shape)) {
        throw new Error(`AdamW.loadState: ${key} is [${tensor.shape}], the parameter is [${p.shape}]`);
      }
      const other = `${name}${key.endsWith('.m') ? '.v' : '.m'}`;
      if (!state.tensors.has(other)) throw new Error(`AdamW.loadState: ${key} is there, but not ${other}`);
    }
    for (const [name, { m, v }] of this.#moments) {
      if (state.tensors.has(`${name}.m`)) continue;
      m.dispose();
      v.dispose();
      this.#moments.delete(name);
    }
    for (const [name, p] of parameters) {
      const [m, v] = [state.tensors.get(`${name}.m`), state.tensors.get(`${name}.v`)];
      if (m === undefined || v === undefined) continue;
      const moments = this.#momentsOf(name, p);
      moments.m.assign(m);
      moments.v.assign(v);
      moments.step = state.step - (state.skipped?.get(name) ?? 0);
    }
    this.#step = state.step;
  }
}
