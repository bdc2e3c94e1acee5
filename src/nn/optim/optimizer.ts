/** What the training loop and the saved state of a run ask of an optimiser; AdamW is one. */
import type { Tensor } from '../../tensor/index.ts';

/** Parameters that share their settings. */
export interface ParameterGroup {
  /** By name, so that state can be saved and found again. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Multiplies the learning rate; default 1. */
  readonly lrScale?: number;
  /** Default 0. */
  readonly weightDecay?: number;
}

/** What an optimiser needs to go on. */
export interface OptimizerState {
  /** Steps taken. */
  readonly step: number;
  /** What it remembers of its parameters, by names that begin with the parameter's. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Steps in which a parameter that it remembers had no gradient, where there were any; default none. */
  readonly skipped?: ReadonlyMap<string, number>;
}

/** What changes parameters by their gradients, step by step. */
export interface Optimizer {
  readonly groups: readonly ParameterGroup[];
  /** Steps taken so far. */
  readonly stepCount: number;
  /** One update with the learning rate `lr` from the gradients that are there. */
  step(lr: number): void;
  zeroGrad(): void;
  /** What it needs to go on later exactly from here; the tensors are its own, not copies. */
  state(): OptimizerState;
  /** @throws Error for a state that is not of these parameters or not of an optimiser of this kind */
  checkState(state: OptimizerState): void;
  /** Goes on from a state. @throws Error as `checkState`; nothing has changed then */
  loadState(state: OptimizerState): void;
  /** Gives back the memory of what it remembers; the parameters stay. */
  dispose(): void;
}
