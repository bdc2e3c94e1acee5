/**
 * A kernel as text. GPU.js reads its functions as source text anyway, and a text is the same text on every toolchain and
 * after every minifier; parts that kernels share (exp, index arithmetic) are texts put into them, because GPU.js calls
 * helper functions lane by lane where it vectorises.
 *
 * Rules that GPU.js asks for
 * - Loops run from a literal 0. Bounds may be arguments: the device lifts the silent limit of 1000 turns.
 * - No loop runs longer than some thousand turns: WebGL drivers end one at 65 536. Longer sums are nested.
 * - What is declared decays to float32, whose integers are exact to 2²⁴. Positions in a buffer go beyond: they are written
 *   out where they are used, from integer arguments, thread ids and `~~v`, which is GPU.js's way to an integer.
 * - `/` is never an integer division.
 */

export interface Program {
  readonly name: string;
  readonly source: string;
  /** Number of arrays among the arguments, which come first. */
  readonly arrays: number;
  /** Number of integers, which come next; for each array x first xAt, the position of its first element. */
  readonly integers: number;
  /** Number of floats, which come last. */
  readonly floats: number;
  /** Numbers that a thread returns. */
  readonly width: 1 | 4;
}

export interface ProgramText {
  readonly arrays?: readonly string[];
  readonly integers?: readonly string[];
  readonly floats?: readonly string[];
  readonly width?: 1 | 4;
  /** Statements; the last returns. */
  readonly body: string;
}

export function program(name: string, text: ProgramText): Program {
  const { arrays = [], integers = [], floats = [], width = 1, body } = text;
  const whole = [...arrays.map((x) => `${x}At`), ...integers];
  const source = `function ${name}(${[...arrays, ...whole, ...floats].join(', ')}) {\n${body}\n}`;
  return {
    name,
    source,
    arrays: arrays.length,
    integers: whole.length,
    floats: floats.length,
    width,
  };
}

/** Programs made on demand, one per key. */
export function family<K extends string | number>(make: (key: K) => Program): (key: K) => Program {
  const made = new Map<K, Program>();
  return (key) => {
    let one = made.get(key);
    if (one === undefined) {
      one = make(key);
      made.set(key, one);
    }
    return one;
  };
}

/** Greatest quotient of `split`. */
export const MOST_ROWS = 2 ** 24;
/** Divisors of `split` are below this. */
export const LONGEST_ROW = 2 ** 21;

/**
 * Declares q = ⌊e/n⌋ and r = e mod n, exact for integers 0 ≤ e < 2³¹, n < 2²¹ and q < 2²⁴, whatever the device's division
 * rounds. The first quotient is off by at most e·2⁻²²/n + 1, so what it leaves is below 2n + 512 and exact; the second
 * brings r within one n of its place.
 */
export function split(q: string, r: string, e: string, n: string): string {
  return `
  const ${q}a = Math.floor(${e} / ${n});
  const ${r}a = ${e} - ~~${q}a * ${n};
  const ${q}b = Math.floor((${r}a + 0.5) / ${n});
  let ${q} = ${q}a + ${q}b;
  let ${r} = ${r}a - ${q}b * ${n};
  if (${r} < 0) {
    ${q} = ${q} - 1;
    ${r} = ${r} + ${n};
  }
  if (${r} >= ${n}) {
    ${q} = ${q} + 1;
    ${r} = ${r} - ${n};
  }`;
}

/** Runs `turn` for k = 0 … length − 1 in chunks of `chunk`; `before` and `after` frame each chunk. `k` is an integer text. */
export function inChunks(
  length: string,
  parts: { before?: string; turn: (k: string) => string; after?: string },
): string {
  return `
  for (let c = 0; c < chunks; c++) {
    const end = Math.min(chunk, ${length} - ~~c * chunk);
    ${parts.before ?? ''}
    for (let k = 0; k < end; k++) {
      ${parts.turn('(~~c * chunk + ~~k)')}
    }
    ${parts.after ?? ''}
  }`;
}

/** Declares `name` as the sum over k of a term: a sum of sums, whose rounding grows with the lengths of both. */
export function sumInChunks(name: string, length: string, term: (k: string) => string, prepare = ''): string {
  return `
  let ${name} = 0;${inChunks(length, {
    before: `let ${name}Part = 0;`,
    turn: (k) => `${prepare.replaceAll('$k', k)} ${name}Part += ${term(k)};`,
    after: `${name} += ${name}Part;`,
  })}`;
}

/** The integers that `inChunks` reads, [chunk, chunks]: about √length of about √length; chunk is a power of two. */
export function chunksOf(length: number): [number, number] {
  const chunk = Math.max(2 ** Math.round(Math.log2(Math.max(length, 1)) / 2), 32);
  return [chunk, Math.ceil(length / chunk)];
}
export const CHUNKS = ['chunk', 'chunks'] as const;
