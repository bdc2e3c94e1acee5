/** What both programs read from their command lines. */
import { InvalidArgumentError } from 'commander';

export function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a number of seconds above 0.');
}

export function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('Expected a whole number above 0.');
}

/** "1,2" → [1, 2] */
export function threadCounts(text: string): readonly number[] {
  const counts = text.split(',').map(whole);
  if (new Set(counts).size === counts.length) return counts;
  throw new InvalidArgumentError('A number of threads is named twice.');
}

/** Case aside. */
export function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

/** A list of names, each one of `known`. */
export function namesOf<N extends string>(known: readonly N[]): (text: string) => readonly N[] {
  return (text) =>
    text.split(',').map((name) => {
      const found = known.find((one) => one === name);
      if (found !== undefined) return found;
      throw new InvalidArgumentError(`"${name}" is none of ${known.join(', ')}.`);
    });
}
