/**
 * Sums and maxima over axes. Dense data is seen as [outer, N, inner] with N to be reduced; one thread makes one result.
 *
 * Long sums go in stages of 64 numbers, so that rounding grows with the number of stages and many threads share the work.
 */
import type { Backend, View } from '../backend.ts';
import { denseView, sizeOf } from '../views.ts';
import { type Engine, FILL, requireCountable } from './engine.ts';
import type { Integers } from './integers.ts';
import { CHUNKS, chunksOf, inChunks, program, split } from './program.ts';

const STAGE = 64;
/** Stages of very long sums are longer, so that there are fewer. */
const MOST_PARTS = 2 ** 20;

/** [outer, N, inner] → [outer, parts, inner], each the sum of `stage` numbers or what is left of N. */
const SUM = program('sum', {
  arrays: ['x'],
  integers: ['length', 'stage', 'parts', 'inner'],
  body: `${split('line', 'i', 'this.thread.x', 'inner')}${split('o', 'part', 'line', 'parts')}
  const count = Math.min(stage, length - ~~part * stage);
  let sum = 0.0;
  for (let k = 0; k < count; k++) {
    sum += x[(~~o * length + ~~part * stage + ~~k) * inner + ~~i + xAt];
  }
  return sum;`,
});

/** A NaN counts as the greatest, where the device knows NaN. */
const champion = (result: string) => `${split('o', 'i', 'this.thread.x', 'inner')}
  let best = x[~~o * length * inner + ~~i + xAt];
  let at = 0.0;${inChunks('length', {
    turn: (k) => `const v = x[(~~o * length + ${k}) * inner + ~~i + xAt];
      if (v > best || (v !== v && best === best)) { best = v; at = ${k}; }`,
  })}
  return ${result};`;

const REDUCTION = { arrays: ['x'], integers: ['length', 'inner', ...CHUNKS] };
const MAX = program('max', { ...REDUCTION, body: champion('best') });
const ARGMAX = program('argmax', { ...REDUCTION, body: champion('at') });

export function reduceKernels(engine: Engine, integers: Integers): Pick<Backend, 'sum' | 'max' | 'argmax'> {
  const { compute, copy, dense } = engine;

  /** Dense [outer, N, inner] → [outer, 1, inner] */
  function sumMiddle(x: View, [outer, N, inner]: readonly [number, number, number]): View {
    const size = Math.max(STAGE, Math.ceil(N / MOST_PARTS));
    const parts = Math.ceil(N / size);
    requireCountable('sum', outer * parts, [inner, parts]);
    const stage = compute(SUM, [x], { integers: [N, size, parts, inner] }, [outer, parts, inner]);
    return parts === 1 ? stage : sumMiddle(stage, [outer, parts, inner]);
  }

  function middle(x: View, axis: number) {
    const inner = sizeOf(x.shape.slice(axis + 1));
    requireCountable('max', Math.max(sizeOf(x.shape.slice(0, axis)), x.shape[axis]), [inner]);
    return [x.shape[axis], inner, ...chunksOf(x.shape[axis])];
  }

  return {
    sum(x, axes) {
      const shape = x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n));
      if (sizeOf(x.shape) === 0) return compute(FILL, [], { floats: [0] }, shape);
      let rest = dense(x);
      // Runs of neighbouring axes, one after the other: what is summed last lies dense again.
      for (let last = x.shape.length - 1; last >= 0; last--) {
        if (!axes.includes(last) || rest.shape[last] === 1) continue;
        let first = last;
        while (first > 0 && axes.includes(first - 1)) first--;
        const sizes = [
          sizeOf(rest.shape.slice(0, first)),
          sizeOf(rest.shape.slice(first, last + 1)),
          sizeOf(rest.shape.slice(last + 1)),
        ] as const;
        const { buffer } = sumMiddle(rest, sizes);
        rest = denseView(
          buffer,
          rest.shape.map((n, axis) => (axis >= first && axis <= last ? 1 : n)),
        );
        last = first;
      }
      return rest.buffer === x.buffer ? copy(x) : rest;
    },

    max(x, axis) {
      const shape = x.shape.with(axis, 1);
      if (x.shape[axis] === 0) return compute(FILL, [], { floats: [Number.NEGATIVE_INFINITY] }, shape);
      return compute(MAX, [dense(x)], { integers: middle(x, axis) }, shape);
    },

    argmax(x, axis) {
      const shape = x.shape.toSpliced(axis, 1);
      const found =
        x.shape[axis] === 0
          ? compute(FILL, [], { floats: [-1] }, shape)
          : compute(ARGMAX, [dense(x)], { integers: middle(x, axis) }, shape);
      return integers.compute([found], shape, 'int32', (k, [v]) => k.cast(v, 'int32'));
    },
  };
}
