/**
 * Writes what PyTorch has to compute: the cases of every op, composed function and module, their inputs and the gradients
 * from above, into FOLDER/{ops,functions,modules}.json and .safetensors. run.mjs calls it.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensorsFile } from '../../../src/data/safetensors/node.ts';
import type { TensorEntry } from '../../../src/data/safetensors/write.ts';
import { casesByOp } from '../../../src/tensor/ops/cases.ts';
import { type OpName, ops } from '../../../src/tensor/ops/index.ts';
import {
  type Case,
  caseId,
  caseRng,
  gradientInputs,
  opCases,
  upstreamNumbers,
} from '../../../src/verify/cases.ts';
import { functionCases } from '../../../src/verify/functionCases/index.ts';
import { moduleCases } from '../../../src/verify/moduleCases.ts';
import { sampleNumbers, sampleTensors } from '../../../src/verify/samples.ts';

const HOST = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };
const STORED = { float32: 'F32', float64: 'F32', int32: 'I32', bool: 'BOOL' } as const;

/** What a case's tensors are, beside their numbers. */
function described(of: Case) {
  const differentiable = new Set(gradientInputs(of).map(({ name }) => name));
  const inputs = of.sample.inputs.map(({ shape, layout }, i) => ({
    name: of.names[i],
    shape,
    gradient: differentiable.has(of.names[i]),
    ...(layout === 'same' ? { same_as: of.names[i - 1] } : {}),
  }));
  const { leaves, compute } = of.bind(sampleTensors(of.sample, caseRng(of), 'float64', true));
  const y = compute();
  return {
    id: caseId(of),
    of: of.of,
    attrs: of.attrs,
    inputs,
    hasGradient: y.requiresGrad && leaves.length > 0,
    y,
  };
}

/** What PyTorch evaluates, and the names of the op's inputs, given or not. */
function torchOf(op: OpName) {
  const { torch, truth } = casesByOp[op];
  return { torch, truth, names: ops[op].inputs };
}

function tensorsOf(of: Case): TensorEntry[] {
  const { id, hasGradient, y } = described(of);
  const entries: TensorEntry[] = sampleNumbers(of.sample, caseRng(of)).flatMap((numbers, i) => {
    if (numbers === null) return [];
    const { shape, dtype = 'float32' } = of.sample.inputs[i];
    const host = dtype === 'float64' ? 'float32' : dtype;
    return [
      { name: `${id}: in.${of.names[i]}`, dtype: STORED[dtype], shape, data: HOST[host].from(numbers) },
    ];
  });
  if (hasGradient) {
    const dy = Float32Array.from(upstreamNumbers(of, y.size));
    entries.push({ name: `${id}: dy`, dtype: 'F32', shape: y.shape, data: dy });
  }
  return entries;
}

export async function main([folder]: readonly string[]): Promise<void> {
  for (const [kind, cases] of [
    ['ops', opCases()],
    ['functions', functionCases()],
    ['modules', moduleCases()],
  ] as const) {
    const listed = cases.map((of) => {
      const { y, hasGradient, ...rest } = described(of);
      return {
        ...(kind === 'ops' ? torchOf(of.of as OpName) : {}),
        ...rest,
        dtype: y.dtype,
        backward: hasGradient,
      };
    });
    await writeFile(join(folder, `${kind}.json`), JSON.stringify(listed));
    await writeSafetensorsFile(join(folder, `${kind}.safetensors`), cases.flatMap(tensorsOf));
  }
}
