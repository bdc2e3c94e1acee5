/**
 * The shapes a module asks for, by the letters of its `@shape` tag:
 *
 *   const sizes = expectShape(x, 'B T D', { op: 'Block', argument: 'x', sizes: { D: 64 } });
 *   expectShape(y, 'B S D', { op: 'Block', argument: 'y', sizes }); // B is that of x
 */
import { ShapeError } from './errors.ts';
import type { Tensor } from './tensor.ts';

/** Sizes by letter. */
export type Sizes = Readonly<Record<string, number>>;

export interface ExpectedShape {
  /** What asks, "Linear". */
  readonly op: string;
  /** Name of the argument, "x". */
  readonly argument: string;
  /** Letters that are bound already. */
  readonly sizes?: Sizes;
  /** What to do about it, for the message. */
  readonly hint?: string;
}

/** A pattern's axes; `leading` where any number of axes may come before them. */
interface Pattern {
  readonly leading: boolean;
  readonly axes: readonly string[];
}

const NONE: Sizes = {};

/** A module asks the same of every tensor that comes: patterns are read once. */
const patterns = new Map<string, Pattern>();

function patternOf(text: string): Pattern {
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    const axes = text.split(' ');
    const leading = axes[0] === '...';
    pattern = { leading, axes: leading ? axes.slice(1) : axes };
    patterns.set(text, pattern);
  }
  return pattern;
}

/**
 * Sizes of a tensor by the letters of a pattern, with those that were bound before. A letter is one size wherever it stands;
 * '...' in front is any number of axes.
 * @throws ShapeError naming op, argument, what came, and the pattern with the letters that are bound
 */
export function expectShape(x: Tensor, pattern: string, expected: ExpectedShape): Sizes {
  const { leading, axes } = patternOf(pattern);
  const { shape } = x;
  const before = shape.length - axes.length;
  if (leading ? before < 0 : before !== 0) return refuse(x, pattern, expected);
  const known = expected.sizes ?? NONE;
  let found: Record<string, number> | undefined; // made where a letter is new: most are known
  for (let i = 0; i < axes.length; i++) {
    const size = shape[before + i];
    const bound = (found ?? known)[axes[i]];
    if (bound === undefined) {
      found ??= { ...known };
      found[axes[i]] = size;
    } else if (bound !== size) {
      return refuse(x, pattern, { ...expected, sizes: { ...known, [axes[i]]: bound } }, before + i);
    }
  }
  return found ?? known;
}

function refuse(x: Tensor, pattern: string, expected: ExpectedShape, axis?: number): never {
  const { op, argument, sizes = {}, hint } = expected;
  const names = pattern.split(' ');
  const bound = [...new Set(names)].flatMap((name) =>
    Object.hasOwn(sizes, name) ? [`${name} = ${sizes[name]}`] : [],
  );
  throw new ShapeError({
    op,
    argument,
    got: { [argument]: x },
    rule: `needs shape [${names.join(',')}]${bound.length === 0 ? '' : ` with ${bound.join(', ')}`}`,
    ...(axis !== undefined && { axis }),
    ...(hint !== undefined && { hint }),
  });
}
