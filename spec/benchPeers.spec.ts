/** The comparison with other libraries, on drivers made up here: none of the libraries is needed. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noiseValues } from '../bench/noise.ts';
import { ChildChannel, killAll } from '../bench/peers/child.ts';
import { type Cell, type Contestant, compare, difference, Rates } from '../bench/peers/compare.ts';
import type { Name } from '../bench/peers/contestants.ts';
import { BEGIN, END, withResults } from '../bench/peers/markers.ts';
import { median } from '../bench/peers/median.ts';
import { OnnxGraph, varint } from '../bench/peers/onnx.ts';
import { type RowCase, rowCases } from '../bench/peers/rows.ts';
import { markdown, type Report, type Result, ratio, rowTable } from '../bench/peers/table.ts';

const report = (results: Report['results']): Report => ({
  machine: { cpu: 'a CPU', cores: 2, load: 0, node: 'v20', platform: 'linux' },
  rooflines: [{ threads: 1, roofline: { flops: 1e12, read: 1, copy: 1, near: 1 } }],
  rounds: 3,
  seconds: 0.5,
  results,
  notes: ['a note'],
});

describe('comparison with peers', () => {
  const row: RowCase = {
    name: 'a row',
    work: { unit: 'FLOP', amount: 1e9 },
    spec: { kind: 'gelu', shape: [2] },
    tolerance: 1e-3,
  };
  const cell = (name: Name, threads: number, ...rounds: number[]): Cell => ({
    name,
    threads,
    rounds,
    min: Math.min(...rounds),
    samples: 9,
  });
  const result: Result = {
    row,
    cells: [
      cell('cogvlm-ts', 1, 2, 1, 9),
      cell('jax-js', 1, 5, 6, 7),
      { name: 'tfjs-wasm', threads: 1, absent: 'why' },
      cell('jax-js', 2, 3, 3, 3),
    ],
  };

  it('lists rows with names and work of their own, which every driver is told by a known kind', () => {
    const rows = rowCases();
    expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
    for (const { name, work } of rows) expect(work.amount, name).toBeGreaterThan(0);
    expect(rows.length).toBe(14);
  });

  it('takes medians, and ratios to our time on as many threads', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(ratio(result, { name: 'jax-js', threads: 1 })).toBe(3);
    expect(ratio(result, { name: 'jax-js', threads: 2 })).toBeNull(); // ours is not there
    expect(ratio(result, { name: 'tfjs-wasm', threads: 1 })).toBeNull();
  });

  it('shows a row in the terminal', () => {
    expect(rowTable(result)).toEqual([
      'a row',
      '             threads    ms     rounds         rate  / ours',
      '  cogvlm-ts        1  2.00  1.00–9.00  500 GFLOP/s',
      '  jax-js           1  6.00  5.00–7.00  167 GFLOP/s   3.00×',
      '  jax-js           2  3.00  3.00–3.00  333 GFLOP/s',
      '  tfjs-wasm, 1 thread: why',
    ]);
  });

  it('writes Markdown: a table for each number of threads, with reasons for what is empty', () => {
    const text = markdown(report([result]));
    expect(text).toContain('| a row | **2.00** · 500 GFLOP/s (50.0 %) | 6.00 · 3.00× |');
    expect(text).toContain('| a row | – | 3.00 ·  |');
    expect(text).toMatch(/tfjs-backend-wasm .*no figures: why \(a row\)/);
    expect(text).toContain('- a note.');
  });

  it('replaces what is between the comments of a page, and asks for them', () => {
    const page = `before\n${BEGIN}\nold\n${END}\nafter\n`;
    const once = withResults(page, 'new', 'a.md');
    expect(once).toBe(`before\n${BEGIN}\n\nnew\n${END}\nafter\n`);
    expect(withResults(once, 'new', 'a.md')).toBe(once);
    expect(() => withResults('no place', 'new', 'a.md')).toThrow('--md a.md has no place for results');
    expect(() => withResults(readFileSync('docs/performance.md', 'utf8'), '', '')).not.toThrow();
  });

  it('tells another computation from rounding', () => {
    expect(difference([1, -2], [1.001, -2], 1e-3)).toBeNull();
    expect(difference([1, -2], [1.01, -2], 1e-3)).toContain('computes something else: off by 5.0e-3');
    expect(difference([1, -2], [1], 1e-3)).toContain('answers 1 results, not 2');
    expect(difference([1], [Number.NaN], 1e-3)).toContain('something else');
  });

  it('foresees from the rows before, for arithmetic only', () => {
    const rates = new Rates();
    const one = { name: 'jax-js', threads: 1 } as Contestant;
    expect(rates.foresee(row, one)).toBe(0);
    rates.note(row, cell('jax-js', 1, 500));
    expect(rates.foresee({ ...row, work: { unit: 'FLOP', amount: 4e9 } }, one)).toBe(2);
    expect(rates.foresee({ ...row, work: { unit: 'byte', amount: 4e9 } }, one)).toBe(0);
  });

  it('goes on when contestants end, fail, or compute something else', async () => {
    const driver = (name: Name, reply: string, command = process.execPath): Contestant => {
      const program = `require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
        const request = JSON.parse(line);
        require('node:fs').writeSync(3, JSON.stringify(${reply}) + '\\n');
      });`;
      return {
        name,
        threads: 1,
        absent: {},
        open: () => new ChildChannel({ command, args: ['-e', program], env: {} }),
      };
    };
    const answers = (check: string) =>
      `request.do === 'prepare' ? { first: 1, check: ${check} } : { samples: [3, 1, 2] }`;
    const cells = await compare(
      row,
      [
        driver('cogvlm-ts', answers('[1, 2]')),
        driver('jax-js', answers('[1, 2.001]')),
        driver('tfjs-wasm', answers('[1, 3]')),
        driver('tfjs-cpu', `{ error: 'no memory' }`),
        driver('js-pytorch', `(() => { throw new TypeError('broken') })()`),
        { ...driver('onnxruntime-web', ''), absent: { gelu: 'has none' } },
        driver('torch', '', '/does/not/exist'),
      ],
      { rounds: 2, seconds: 0.001, limit: 5 },
      new Rates(),
      () => {},
    );
    const absent = (name: string) => cells.find((one) => one.name === name && 'absent' in one);
    expect(cells.slice(0, 2)).toEqual([
      { name: 'cogvlm-ts', threads: 1, rounds: [2, 2], min: 1, samples: 6 },
      { name: 'jax-js', threads: 1, rounds: [2, 2], min: 1, samples: 6 },
    ]);
    expect(absent('tfjs-wasm')).toHaveProperty('absent', expect.stringContaining('something else'));
    expect(absent('tfjs-cpu')).toHaveProperty('absent', 'no memory');
    expect(absent('js-pytorch')).toHaveProperty('absent', expect.stringContaining('broken'));
    expect(absent('onnxruntime-web')).toHaveProperty('absent', 'has none');
    expect(absent('torch')).toHaveProperty('absent', expect.stringContaining('ENOENT'));
  });
});

describe('a driver', () => {
  it('that is ended tells those who wait for it why, and those who come later', async () => {
    const channel = new ChildChannel({
      command: process.execPath,
      args: ['-e', 'setInterval(() => {}, 1000)'],
      env: {},
    });
    const asked = channel.ask({}, 60);
    killAll('time ran out');
    await expect(asked).rejects.toThrow('time ran out');
    await expect(channel.ask({}, 60)).rejects.toThrow('time ran out');
  });
});

describe('noise', () => {
  it('is what the formula says in any language, streams apart', () => {
    // As torch_driver.py makes them.
    expect([...noiseValues(3, 0)]).toEqual([-1, -0.3648022711277008, -0.6175304651260376]);
    expect([...noiseValues(3, 7, 0.5)]).toEqual([
      -0.02837970480322838, 0.47236767411231995, -0.02818780578672886,
    ]);
    const mean = noiseValues(2 ** 16, 3).reduce((sum, x) => sum + x, 0) / 2 ** 16;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(3 * 2 ** 16)); // four standard errors
  });
});

describe('ONNX', () => {
  it('writes varints, negative ones in ten bytes', () => {
    expect([...varint(0)]).toEqual([0]);
    expect([...varint(300)]).toEqual([0xac, 0x02]);
    expect(varint(-1).length).toBe(10);
  });

  /** The fields of a message: number and, for those of a length, the bytes. */
  function fields(bytes: Uint8Array): { field: number; body: Uint8Array }[] {
    const found: { field: number; body: Uint8Array }[] = [];
    let at = 0;
    const number = () => {
      let value = 0;
      for (let shift = 0; ; shift += 7) {
        value += (bytes[at] & 127) * 2 ** shift;
        if (bytes[at++] < 128) return value;
      }
    };
    while (at < bytes.length) {
      const key = number();
      const length = (key & 7) === 2 ? number() : 0;
      if ((key & 7) === 0) number();
      if ((key & 7) === 5) at += 4;
      found.push({ field: key >> 3, body: bytes.subarray(at, at + length) });
      at += length;
    }
    expect(at).toBe(bytes.length);
    return found;
  }

  it('writes a model whose messages are as long as they say', () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', [1, 2]);
    const w = graph.constant(Float32Array.of(1, 2, 3, 4), [2, 2]);
    const [a] = graph.nodes(2, 'Split', [graph.node('MatMul', [x, w])], { axis: -1, num_outputs: 2 });
    const shape = graph.integers([1, 1]);
    graph.output(graph.node('Reshape', [a, shape], { float: { float: 0.5 }, ints: { ints: [1, 2] } }));
    const model = fields(graph.encode());
    expect(model.map(({ field }) => field)).toEqual([1, 7, 8]);
    const body = fields(model[1].body);
    const count = (field: number) => body.filter((one) => one.field === field).length;
    expect([1, 2, 5, 11, 12].map(count)).toEqual([3, 1, 2, 1, 1]); // nodes, name, constants, inputs, outputs
    const [weights, integers] = body.filter(({ field }) => field === 5).map((one) => fields(one.body));
    expect(weights.find(({ field }) => field === 9)?.body.length).toBe(16);
    expect(integers.find(({ field }) => field === 9)?.body.length).toBe(16);
    const reshape = fields(body.filter(({ field }) => field === 1)[2].body);
    expect(reshape.map(({ field }) => field)).toEqual([1, 1, 2, 4, 5, 5]);
  });
});
