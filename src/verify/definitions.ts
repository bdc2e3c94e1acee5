/**
 * Fused ops beside their definitions (`tensor/composed.ts`) in float64, value and gradient of every sample: two ways to one
 * result, of which neither is PyTorch's.
 */

import { apply, type ComposedName, composed, scope, Tensor } from '../tensor/index.ts';
import { type Case, caseId, caseRng, gradientInputs, opCases, upstreamNumbers } from './cases.ts';
import { type Finding, type Lack, NOT_COMPUTED, type Numbers } from './finding.ts';
import { sampleTensors } from './samples.ts';
import { FLOAT64 } from './tolerances.ts';

const isComposed = (name: string): name is ComposedName => Object.hasOwn(composed, name);

/** @param wanted which ops to look at */
export function* definitionFindings(wanted: (name: string) => boolean): Iterable<Finding> {
  for (const one of opCases()) if (isComposed(one.of) && wanted(one.of)) yield* besideDefinition(one, one.of);
}

function besideDefinition(one: Case, name: ComposedName): Finding[] {
  const attrs = one.attrs as never;
  return scope(() => {
    const fused = resultsOf(one, (inputs) => apply(name, inputs, attrs));
    const written = resultsOf(one, (inputs) => composed[name](inputs, attrs));
    return [...written].map(([result, truth]): Finding => {
      const subject = {
        name: `${caseId(one)}: ${result} beside its definition`,
        of: name,
        check: 'definition',
      } as const;
      if ('status' in truth) return { subject, broken: 'the definition gives none' };
      const computed = fused.get(result) ?? NOT_COMPUTED;
      return { subject, truth, computed, allowance: { tolerance: FLOAT64 } };
    });
  });
}

const numbersOf = ({ shape, data }: Tensor): Numbers => ({ shape, data });

/** The result by "out", and the gradients by "grad.x" unless they are at a kink or infinite. */
function resultsOf(one: Case, compute: (inputs: readonly Tensor[]) => Tensor): Map<string, Numbers | Lack> {
  const inputs = sampleTensors(one.sample, caseRng(one), 'float64', true);
  const y = compute(inputs);
  const found = new Map<string, Numbers | Lack>([['out', numbersOf(y)]]);
  if (one.sample.noDifferences !== undefined) return found;
  y.backward(Tensor.fromArray(upstreamNumbers(one, y.size), y.shape, { dtype: 'float64' }));
  for (const { name, index } of gradientInputs(one)) {
    const { grad } = inputs[index];
    found.set(`grad.${name}`, grad === null ? NOT_COMPUTED : numbersOf(grad));
    inputs[index].zeroGrad();
  }
  return found;
}
