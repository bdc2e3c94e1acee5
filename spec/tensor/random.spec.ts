/** Seeded random numbers: fixed for ever by their seed, and of the right distribution. */
import { describe, expect, it } from 'vitest';
import { Rng, type RngState } from '../../src/tensor/index.ts';

const draws = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);

describe('the sequence of a seed', () => {
  it('is always the same', () => {
    const rng = new Rng(42);
    expect(draws(3, () => rng.uint32())).toEqual([1849552023, 4223452576, 118919111]);
    expect(rng.uniform()).toBe(0.9066156002415592);
    // Through log, sqrt, cos and sin, which engines may round differently in the last place.
    expect(rng.normal()).toBeCloseTo(-1.6786811541618631, 14);
    expect(rng.normal()).toBeCloseTo(-0.03640539087136667, 14);
  });

  it('differs for other seeds, negative ones and those beyond 32 bits included', () => {
    const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 40 + 5, 5, Number.MAX_SAFE_INTEGER];
    const first = seeds.map((seed) => new Rng(seed).uint32());
    expect(new Set(first).size).toBe(seeds.length);
    expect([first[3], first[5]]).toEqual([754549516, 768542553]);
  });

  it.each([0.5, Number.NaN, 2 ** 53])('refuses the seed %s', (seed) => {
    expect(() => new Rng(seed)).toThrow(`Rng(seed): needs a safe integer, got ${seed}`);
  });
});

describe('state', () => {
  it('goes on where it was saved, also between the two values of a Box-Muller pair', () => {
    for (const normals of [0, 1, 2, 3]) {
      const rng = new Rng(9);
      draws(normals, () => rng.normal());
      const saved = JSON.parse(JSON.stringify(rng.state)) as RngState;
      const next = (r: Rng) => [r.normal(), r.uniform(), r.normal(), r.integer(1000), r.normal()];
      expect(next(Rng.fromState(saved)), `after ${normals} normals`).toEqual(next(rng));
    }
  });

  it('is a snapshot', () => {
    const rng = new Rng(1);
    const before = rng.state;
    rng.normal();
    expect(rng.state).not.toEqual(before);
    expect(new Rng(1).state).toEqual(before);
  });
});

describe('uniform', () => {
  it('fills [0, 1) evenly', () => {
    const rng = new Rng(7);
    const values = draws(40_000, () => rng.uniform());
    expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
    const bins = new Array<number>(20).fill(0);
    for (const v of values) bins[Math.floor(v * 20)]++;
    const chi2 = bins.reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0);
    expect(chi2).toBeLessThan(43.8); // 99.9 % of χ² with 19 degrees of freedom
    const lag = values.slice(1).reduce((sum, v, i) => sum + (v - 0.5) * (values[i] - 0.5), 0) / values.length;
    expect(Math.abs(lag * 12)).toBeLessThan(0.02); // correlation of neighbours, σ = 0.005
  });

  it('has more than 32 random bits', () => {
    const rng = new Rng(7);
    expect(draws(20, () => rng.uniform()).some((v) => (v * 2 ** 32) % 1 !== 0)).toBe(true);
  });
});

describe('normal', () => {
  it('has the moments of N(0, 1)', () => {
    const rng = new Rng(11);
    const values = draws(40_000, () => rng.normal());
    const moment = (p: number) => values.reduce((sum, v) => sum + v ** p, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03);
    expect(Math.abs(moment(3))).toBeLessThan(0.08);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2);
    const pairs = values.reduce((sum, v, i) => (i % 2 === 1 ? sum + v * values[i - 1] : sum), 0) / 20_000;
    expect(Math.abs(pairs)).toBeLessThan(0.03); // the two values of a pair are independent
  });
});

describe('integer', () => {
  it('takes every value from 0 to n − 1 about equally often', () => {
    const rng = new Rng(5);
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 14_000; i++) counts[rng.integer(7)]++;
    for (const n of counts) expect(Math.abs(n - 2000)).toBeLessThan(200);
    expect(draws(5, () => rng.integer(1))).toEqual([0, 0, 0, 0, 0]);
    expect(draws(100, () => rng.integer(2 ** 32)).some((v) => v >= 2 ** 31)).toBe(true);
  });

  it('has no bias where 2³² is no multiple of n', () => {
    // With a plain remainder the lowest third of 0…3·2³⁰ − 1 would come up in half of the draws.
    const rng = new Rng(5);
    const n = 3 * 2 ** 30;
    const low = draws(4000, () => rng.integer(n)).filter((v) => v < n / 3).length;
    expect(Math.abs(low / 4000 - 1 / 3)).toBeLessThan(0.03);
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('refuses n = %s', (n) => {
    expect(() => new Rng(1).integer(n)).toThrow(`Rng.integer(n): needs 1 ≤ n ≤ 2³², got ${n}`);
  });
});

describe('shuffle', () => {
  it('is in place, keeps every item, and is the same for a seed', () => {
    const items = draws(50, () => 0).map((_, i) => i);
    const shuffled = new Rng(3).shuffle(items);
    expect(shuffled).toBe(items);
    expect([...items].sort((a, b) => a - b)).toEqual(items.map((_, i) => i));
    expect(items).not.toEqual(items.map((_, i) => i));
    expect(new Rng(3).shuffle(items.map((_, i) => i))).toEqual(items);
  });

  it('gives all orders equally often', () => {
    const rng = new Rng(8);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = rng.shuffle(['a', 'b', 'c']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(130);
  });
});
