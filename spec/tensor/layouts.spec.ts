/** Where numbers lie changes no bit of a result: each input of each op's samples and the gradient from above, one by one. */
import { describe, expect, it } from 'vitest';
import { Rng, Tensor } from '../../src/tensor/index.ts';
import { type Case, caseRng, opCases, upstreamNumbers } from '../../src/verify/cases.ts';
import { sampleTensors } from '../../src/verify/samples.ts';

/** The same numbers cut out of the middle of a larger tensor: behind an offset, every second, the rest of it strange. */
function cutOut(x: Tensor): Tensor {
  const strange = x.dtype === 'bool' ? 1 : x.dtype === 'int32' ? 77 : Number.NaN;
  const values = [strange, ...Array.from(x.data).flatMap((value) => [value, strange])];
  const rows = Tensor.fromArray(values, [values.length], { dtype: x.dtype }).slice(0, 1).reshape(x.size, 2);
  const cut = rows.slice(1, 0, 1).reshape(...x.shape);
  return new Tensor(cut.backend, cut.view, null, x.requiresGrad);
}

/** Another tensor of the same numbers where `moved` says so, in every place where the sample has it. */
function inputsOf(of: Case, moved: number | null): Tensor[] {
  const tensors = sampleTensors(of.sample, caseRng(of), 'float64', true);
  if (moved === null) return tensors;
  const other = cutOut(tensors[moved]);
  return tensors.map((x) => (x === tensors[moved] ? other : x));
}

function resultsOf(of: Case, moved: number | null, dyMoved: boolean): number[][] {
  const { leaves, compute } = of.bind(inputsOf(of, moved));
  const y = compute();
  if (y.requiresGrad) {
    const dy = Tensor.fromArray(upstreamNumbers(of, y.size), y.shape, { dtype: y.dtype });
    y.backward(dyMoved ? cutOut(dy) : dy);
  }
  return [y, ...leaves.flatMap(({ grad }) => grad ?? [])].map(({ data }) => [...data]);
}

const cases = opCases();

describe.each([...new Set(cases.map(({ of }) => of))])('%s', (name) => {
  it('gives the same bits wherever an input lies, or the gradient from above', () => {
    for (const of of cases.filter((one) => one.of === name)) {
      const wanted = resultsOf(of, null, false);
      for (const [i, input] of of.names.entries())
        expect(resultsOf(of, i, false), `${of.note}: ${input} elsewhere`).toEqual(wanted);
      expect(resultsOf(of, null, true), `${of.note}: dy elsewhere`).toEqual(wanted);
    }
  });
});

it('cuts out what it should', () => {
  const x = Tensor.uniform([2, 3], new Rng(1), -1, 1);
  const cut = cutOut(x);
  expect(cut.data).toEqual(x.data);
  expect([cut.view.offset, cut.view.strides]).toEqual([1, [6, 2]]);
});
