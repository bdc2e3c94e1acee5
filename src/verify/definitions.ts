/**
 * Fused ops beside their definitions (`tensor/composed.ts`) in float64, value and gradient of every sample: two ways to one
 * result, of which neither is PyTorch's.
 */

import { type ComposedName, composed } from '../tensor/composed.ts';
import { apply, scope, Tensor } from '../tensor/index.ts';
import { type Case, caseId, caseRng, gradientInputs, opCases, upstreamNumbers } from './cases.ts';
import { judge, kept, type Numbers, type Row } from './judge.ts';
import { sampleTensors } from './samples.ts';
import { FLOAT64 } from './tolerances.ts';

const isComposed = (name: string): name is ComposedName => Object.hasOwn(composed, name);

/** @param wanted which ops to look at */
export function* definitionRows(wanted: (name: string) => boolean): Iterable<Row> {
  for (const of of opCases()) if (isComposed(of.of) && wanted(of.of)) yield* besideDefinition(of, of.of);
}

function besideDefinition(of: Case, name: ComposedName): Row[] {
  const attrs = of.attrs as never;
  return scope(() => {
    const fused = resultsOf(of, (inputs) => apply(name, inputs, attrs));
    const written = resultsOf(of, (inputs) => composed[name](inputs, attrs));
    return [...written].map(([result, truth]) => {
      const about = {
        name: `${caseId(of)}: ${result} beside its definition`,
        of: name,
        check: 'definition',
      } as const;
      if (truth === undefined) return kept(about, 'the definition gives none');
      return judge(about, truth, fused.get(result), { tolerance: FLOAT64 });
    });
  });
}

const numbersOf = ({ shape, data }: Tensor): Numbers => ({ shape, data });

/** The result by "out", and the gradients by "grad.x" unless they are at a kink or infinite. */
function resultsOf(
  of: Case,
  compute: (inputs: readonly Tensor[]) => Tensor,
): Map<string, Numbers | undefined> {
  const inputs = sampleTensors(of.sample, caseRng(of), 'float64', true);
  const y = compute(inputs);
  const found = new Map<string, Numbers | undefined>([['out', numbersOf(y)]]);
  if (of.sample.noDifferences !== undefined) return found;
  y.backward(Tensor.fromArray(upstreamNumbers(of, y.size), y.shape, { dtype: 'float64' }));
  for (const { name, index } of gradientInputs(of)) {
    const { grad } = inputs[index];
    found.set(`grad.${name}`, grad === null ? undefined : numbersOf(grad));
    inputs[index].zeroGrad();
  }
  return found;
}
