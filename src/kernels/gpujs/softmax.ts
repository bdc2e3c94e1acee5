/**
 * Softmax over rows, its gradient, and cross-entropy, which begins alike: the greatest x of a row, then Σ exp(x − max).
 *
 * A row sees its first `seen` columns: all, or with the causal rule i + (N − M) + 1 of them in row i of M. What a row does not
 * see is left out by this rule itself, never by adding a large negative number, so a row that sees nothing gives zeros
 * however large or small its x are. Where all it sees is −∞, it gives zeros too.
 */
import type { Backend, View } from '../backend.ts';
import { type Engine, FILL } from './engine.ts';
import { exp, log } from './functions.ts';
import type { Integers } from './integers.ts';
import { CHUNKS, chunksOf, inChunks, program, split, sumInChunks } from './program.ts';
import { at, ELEMENT, element, ofRow, ROW, rowSizes } from './rows.ts';

/** Declares `seen` for a row: row i of `queries` sees i + shift + 1 columns. */
const seen = (row: string) => `${split('z', 'i', row, 'queries')}
  const seen = Math.max(0.0, Math.min(i + shift + 1, width));`;

const SEEN = ['width', 'queries', 'shift'] as const;

/** Below every finite float32; −∞ is, on every device. */
const LOWEST = '-3.4028234e38';

const ROW_MAX = program('rowMax', {
  arrays: ['x'],
  integers: [...SEEN, ...CHUNKS],
  body: `${seen(ROW)}
  let best = ${at('x', ROW, '0')};${inChunks('seen', {
    turn: (k) => `best = Math.max(best, ${at('x', ROW, k)});`,
  })}
  return best;`,
});

const ROW_SUM_EXP = program('rowSumExp', {
  arrays: ['x', 'max'],
  integers: [...SEEN, ...CHUNKS],
  body: `${seen(ROW)}
  const m = ${ofRow('max', ROW)};${sumInChunks('sum', 'seen', () => 'e', `const d = ${at('x', ROW, '$k')} - m;${exp('e', 'd')}`)}
  return sum;`,
});

const SOFTMAX = program('softmax', {
  arrays: ['x', 'max', 'sum'],
  integers: [...SEEN],
  body: `${ELEMENT}${seen('row')}
  const m = ${ofRow('max')};
  const d = ${element('x')} - m;${exp('e', 'd')}
  let y = 0.0;
  if (column < seen && !(m < ${LOWEST})) { y = e / ${ofRow('sum')}; }
  return y;`,
});

const ROW_DOT = program('rowDot', {
  arrays: ['a', 'b'],
  integers: ['width', ...CHUNKS],
  body: `${sumInChunks('sum', 'width', (k) => `${at('a', ROW, k)} * ${at('b', ROW, k)}`)}
  return sum;`,
});

const SOFTMAX_BACKWARD = program('softmaxBackward', {
  arrays: ['y', 'dy', 'dot'],
  integers: ['width'],
  body: `${ELEMENT}
  return ${element('y')} * (${element('dy')} - ${ofRow('dot')});`,
});

const LOG_SUM_EXP = program('logSumExp', {
  arrays: ['max', 'sum'],
  body: `
  const m = ${element('max')};
  const s = ${element('sum')};${log('l', 's')}
  let y = m + l;
  if (m < ${LOWEST}) { y = m; }
  return y;`,
});

/** Classes are −1 where ignored. */
const LOSS = program('crossEntropy', {
  arrays: ['x', 'classes', 'logs'],
  integers: ['width'],
  body: `
  const target = ${element('classes')};
  let y = 0.0;
  if (target >= 0) { y = ${element('logs')} - ${at('x', ROW, '~~target')}; }
  return y;`,
});

const CROSS_ENTROPY_BACKWARD = program('crossEntropyBackward', {
  arrays: ['x', 'classes', 'logs', 'dloss'],
  integers: ['width'],
  body: `${ELEMENT}
  const target = ${ofRow('classes')};
  const d = ${element('x')} - ${ofRow('logs')};${exp('e', 'd')}
  let y = 0.0;
  if (target >= 0) {
    y = e;
    if (target === column) { y = e - 1.0; }
    y = y * ${ofRow('dloss')};
  }
  return y;`,
});

type RowKernels = Pick<Backend, 'softmax' | 'softmaxBackward' | 'crossEntropy' | 'crossEntropyBackward'>;

export function softmaxKernels(engine: Engine, integers: Integers): RowKernels {
  const { compute, dense } = engine;

  /** Greatest x and Σ exp(x − max) of each row of dense x. */
  function statistics(x: View, queries: number, shift: number): { max: View; sum: View } {
    const { width, perRow } = rowSizes('softmax', x);
    const numbers = { integers: [width, queries, shift, ...chunksOf(width)] };
    const max = compute(ROW_MAX, [x], numbers, perRow);
    return { max, sum: compute(ROW_SUM_EXP, [x, max], numbers, perRow) };
  }

  return {
    softmax(given, { causal }) {
      const x = dense(given);
      const { width, rows } = rowSizes('softmax', x);
      if (rows * width === 0) return compute(FILL, [], { floats: [0] }, x.shape);
      const queries = causal ? (x.shape.at(-2) ?? 1) : 1;
      const shift = width - queries;
      const { max, sum } = statistics(x, queries, shift);
      return compute(SOFTMAX, [x, max, sum], { integers: [width, queries, shift] }, x.shape);
    },

    softmaxBackward(y, dy) {
      const { width, perRow } = rowSizes('softmax', y);
      const [p, d] = [dense(y), dense(dy)];
      if (width === 0) return compute(FILL, [], { floats: [0] }, y.shape);
      const dot = compute(ROW_DOT, [p, d], { integers: [width, ...chunksOf(width)] }, perRow);
      return compute(SOFTMAX_BACKWARD, [p, d, dot], { integers: [width] }, y.shape);
    },

    crossEntropy(given, targets, ignoreIndex) {
      const [R, V] = given.shape;
      const x = dense(given);
      const classes = integers.classesOf(targets, V, ignoreIndex);
      const { max, sum } = statistics(x, 1, V - 1);
      const logSumExp = compute(LOG_SUM_EXP, [max, sum], {}, [R]);
      return { loss: compute(LOSS, [x, classes, logSumExp], { integers: [V] }, [R]), logSumExp };
    },

    crossEntropyBackward(x, targets, ignoreIndex, logSumExp, dloss) {
      const V = x.shape[1];
      rowSizes('crossEntropy', x);
      const classes = integers.classesOf(targets, V, ignoreIndex);
      const arrays = [dense(x), classes, dense(logSumExp), dense(dloss)];
      return compute(CROSS_ENTROPY_BACKWARD, arrays, { integers: [V] }, x.shape);
    },
  };
}
