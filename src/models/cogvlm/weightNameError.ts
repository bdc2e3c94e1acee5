import { nearNames } from './nearNames.ts';

/** Names of weights that are not those of the table: unknown to it, or lacking in the model. */
export class WeightNameError extends Error {
  override readonly name = 'WeightNameError';
  readonly unknown: readonly string[];
  readonly lacking: readonly string[];

  /** @param known the names of the table, to tell what may have been meant */
  constructor(
    { unknown = [], lacking = [] }: { unknown?: readonly string[]; lacking?: readonly string[] },
    known: Iterable<string>,
  ) {
    const near = unknown.length === 1 ? nearNames(unknown[0], known) : [];
    const told = [
      ...(unknown.length === 0 ? [] : [`weights that checkpointKeys does not know: ${unknown.join(', ')}`]),
      ...(near.length === 0 ? [] : [`did you mean ${near.join(' or ')}?`]),
      ...(lacking.length === 0 ? [] : [`weights that the model lacks: ${lacking.join(', ')}`]),
    ];
    super(`CogVLM: ${told.join('; ')}`);
    this.unknown = unknown;
    this.lacking = lacking;
  }
}
