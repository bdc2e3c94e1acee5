/**
 * Sums of products in Einstein's notation, as numpy.einsum and torch.einsum: y_ik = Σ_j a_ij b_jk is einsum('ij,jk->ik', a, b).
 *
 * A letter names an axis. Letters that the result does not have are summed over; one that an operand has twice is its
 * diagonal; '…' (three dots) stands for any further axes, which broadcast. Without '->' the result has, behind those, the
 * letters that stand there once, in alphabetical order. Operands are contracted from left to right, each time by one
 * product of matrices.
 */
import { ShapeError } from '../errors.ts';
import { requireDType, requireSameDType } from '../shape.ts';
import { apply, type Tensor } from '../tensor.ts';

/** A tensor whose axes have names. */
interface Named {
  readonly x: Tensor;
  readonly axes: readonly string[];
}

const DOTS = '...';
/** Axes behind the dots are counted from the last. */
const DOTTED = /^\.\d+$/;

function fail(operands: readonly Tensor[], argument: string, rule: string): never {
  const got = Object.fromEntries(operands.map((x, i) => [`operand${i}`, x]));
  throw new ShapeError({ op: 'einsum', argument, got, rule });
}

/** Names of the axes that a term stands for, its dots being `dotted` axes. */
function axesOf(term: string, dotted: number): string[] {
  const [before, after] = term.split(DOTS);
  if (after === undefined) return [...before];
  const inner = Array.from({ length: dotted }, (_, i) => `.${dotted - 1 - i}`);
  return [...before, ...inner, ...after];
}

interface Equation {
  readonly terms: readonly string[];
  /** Undefined where the equation leaves it open. */
  readonly result: string | undefined;
}

function parse(equation: string, operands: readonly Tensor[]): Equation {
  const [left, result, ...more] = equation.replaceAll(' ', '').split('->');
  const terms = left.split(',');
  const odd = [...terms, result ?? ''].find((term) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term));
  if (odd !== undefined || more.length > 0) {
    fail(operands, 'equation', `'${equation}' is more than letters, '...', ',' and one '->'`);
  }
  if (terms.length !== operands.length) {
    fail(operands, 'equation', `'${equation}' has ${terms.length} terms for ${operands.length} operands`);
  }
  return { terms, result };
}

/** The diagonal of two axes of one size, as the first of them: every (n + 1)-th element of the n² of both. */
function diagonal(x: Tensor, first: number, second: number): Tensor {
  const n = x.shape[first];
  const others = x.shape.flatMap((_, a) => (a === first || a === second ? [] : [a]));
  const sizes = others.map((a) => x.shape[a]);
  const square = x.permute(...others, first, second).reshape(...sizes, n * n);
  const line = apply('slice', [square], { axis: others.length, start: 0, length: n, step: n + 1 });
  const order = others.map((_, a) => a);
  return line.permute(...order.slice(0, first), others.length, ...order.slice(first));
}

/** An operand with each name once, and without the axes of size 1 that broadcast. */
function named(x: Tensor, term: readonly string[], sizes: ReadonlyMap<string, number>): Named {
  let axes = [...term];
  let y = x;
  for (let second = 1; second < axes.length; second++) {
    const first = axes.indexOf(axes[second]);
    if (first === second) continue;
    y = diagonal(y, first, second);
    axes = axes.toSpliced(second--, 1);
  }
  const kept = axes.map((name, a) => y.shape[a] === sizes.get(name));
  return {
    x: y.reshape(...y.shape.filter((_, a) => kept[a])),
    axes: axes.filter((_, a) => kept[a]),
  };
}

/** Without the axes that nobody asks for any more. */
function summed({ x, axes }: Named, wanted: ReadonlySet<string>): Named {
  let y = x;
  for (let a = axes.length - 1; a >= 0; a--) if (!wanted.has(axes[a])) y = y.sum(a);
  return { x: y, axes: axes.filter((name) => wanted.has(name)) };
}

/**
 * One product: common axes that are wanted are its batch, the other common ones are summed over. Of the first, all axes are
 * wanted, or are the second's: others were summed over when it was made.
 */
function product(p: Named, second: Named, wanted: ReadonlySet<string>): Named {
  const q = summed(second, new Set([...wanted, ...p.axes]));
  const common = p.axes.filter((name) => q.axes.includes(name));
  const batch = common.filter((name) => wanted.has(name));
  const inner = common.filter((name) => !wanted.has(name));
  const only = (one: Named) => one.axes.filter((name) => !common.includes(name));
  const [rows, columns] = [only(p), only(q)];
  const sizesOf = (one: Named, names: readonly string[]) =>
    names.map((name) => one.x.shape[one.axes.indexOf(name)]);
  const count = (one: Named, names: readonly string[]) => sizesOf(one, names).reduce((n, m) => n * m, 1);
  const laid = (one: Named, ...groups: readonly (readonly string[])[]) =>
    one.x
      .permute(...groups.flat().map((name) => one.axes.indexOf(name)))
      .reshape(...sizesOf(one, groups[0]), ...groups.slice(1).map((names) => count(one, names)));
  const [left, right] = [laid(p, batch, rows, inner), laid(q, batch, inner, columns)];
  const y = inner.length === 0 ? left.mul(right) : left.matmul(right); // [batch…, rows, columns]
  const shape = [...sizesOf(p, batch), ...sizesOf(p, rows), ...sizesOf(q, columns)];
  return { x: y.reshape(...shape), axes: [...batch, ...rows, ...columns] };
}

/** Size of every name; 1 gives way to any other. */
function sizesByName(terms: readonly (readonly string[])[], operands: readonly Tensor[]) {
  const sizes = new Map<string, number>();
  for (const [i, axes] of terms.entries()) {
    for (const [a, name] of axes.entries()) {
      const size = operands[i].shape[a];
      const known = sizes.get(name) ?? 1;
      const twice = operands[i].shape[axes.indexOf(name)] !== size;
      if (twice || (known !== 1 && size !== 1 && known !== size)) {
        const what = DOTTED.test(name) ? 'an axis of the dots' : name;
        const other = twice ? operands[i].shape[axes.indexOf(name)] : known;
        fail(operands, `operand${i}`, `${what} has size ${size}, and ${other} elsewhere`);
      }
      if (known === 1) sizes.set(name, size);
    }
  }
  return sizes;
}

/**
 * A sum of products in Einstein's notation, as PyTorch's.
 * @throws ShapeError where the equation cannot be read, does not fit the operands, or its letters have two sizes; DTypeError
 * where operands are no floats or of two dtypes
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const { terms, result } = parse(equation, operands);
  for (const [i, { view }] of operands.entries()) requireDType('einsum', `operand${i}`, view);
  requireSameDType('einsum', Object.fromEntries(operands.map(({ view }, i) => [`operand${i}`, view])));
  const dotted = terms.map((term, i) => {
    const letters = term.replace(DOTS, '').length;
    const { rank } = operands[i];
    const fits = term.includes(DOTS) ? letters <= rank : letters === rank;
    if (!fits) fail(operands, `operand${i}`, `has ${rank} axes, and '${term}' names ${letters}`);
    return rank - letters;
  });
  const axes = terms.map((term, i) => axesOf(term, dotted[i]));
  const most = Math.max(0, ...dotted.filter((_, i) => terms[i].includes(DOTS)));
  const letters = terms.join('').replaceAll('.', '');
  const once = [...letters].filter((name) => letters.indexOf(name) === letters.lastIndexOf(name));
  const wanted = axesOf(result ?? DOTS + once.sort().join(''), most);
  const strange = wanted.find(
    (name, i) => !axes.some((names) => names.includes(name)) || wanted.indexOf(name) !== i,
  );
  if (strange !== undefined) {
    const why = wanted.indexOf(strange) === wanted.lastIndexOf(strange) ? 'of no operand' : 'twice';
    fail(operands, 'equation', `the result '${result}' has ${strange} ${why}`);
  }
  const sizes = sizesByName(axes, operands);
  const parts = operands.map((x, i) => named(x, axes[i], sizes));
  const after = (i: number) => new Set([...wanted, ...parts.slice(i + 1).flatMap((part) => part.axes)]);
  let y = summed(parts[0], after(0));
  for (let i = 1; i < parts.length; i++) y = product(y, parts[i], after(i));
  return y.x.permute(...wanted.map((name) => y.axes.indexOf(name)));
}
