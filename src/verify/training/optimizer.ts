/**
 * AdamW, clipping and schedule beside PyTorch's, from gradients that are given. They go through the training loop as it is:
 * the loss Σ p·g has the gradient g, without any rounding.
 */
import { AdamW, Parameter } from '../../nn/index.ts';
import { scope, Tensor } from '../../tensor/index.ts';
import { type StepReport, train } from '../../train/index.ts';
import { type Findings, NOT_COMPUTED, type Numbers } from '../finding.ts';
import { GoldenError, type GoldenFolder, openFixtures, readTruth, withOpen } from '../golden.ts';
import type { FloatDType } from '../samples.ts';
import { CLIPPED_NORM, OPTIMIZER_STATE } from '../tolerances.ts';
import type { GoldenOptimizer } from './manifest.ts';
import { recipeOf, stepFindings } from './run.ts';

type Tensors = ReadonlyMap<string, Numbers>;

export async function* verifyOptimizer(
  folder: GoldenFolder,
  golden: GoldenOptimizer,
  dtype: FloatDType,
): Findings {
  const tensors = await readTensors(folder, golden.file);
  const reports: StepReport[] = [];
  const state = new Map<string, Numbers>();
  await scope(() => replay(golden, tensors, dtype, reports, state));
  for (const [name, truth] of tensors) {
    if (!name.startsWith('step')) continue;
    const subject = { name: `${golden.name}/${name}`, of: 'AdamW', check: 'training' } as const;
    const allowance = { tolerance: OPTIMIZER_STATE[dtype], torchError: golden.float32_error[name] };
    yield { subject, truth, computed: state.get(name) ?? NOT_COMPUTED, allowance };
  }
  const torchError = golden.float32_error['grad_norm'];
  yield* stepFindings(golden, reports, { tolerance: CLIPPED_NORM[dtype], torchError });
}

async function readTensors(folder: GoldenFolder, name: string): Promise<Tensors> {
  return withOpen(openFixtures(folder, name), async (file) => {
    const tensors = new Map<string, Numbers>();
    for (const key of file.tensors.keys()) tensors.set(key, await readTruth(file, key));
    return tensors;
  });
}

/** Fills `reports` with what each step said, and `state` with weights and moments by the names of the golden tensors. */
async function replay(
  golden: GoldenOptimizer,
  tensors: Tensors,
  dtype: FloatDType,
  reports: StepReport[],
  state: Map<string, Numbers>,
): Promise<void> {
  const given = (name: string): Numbers => {
    const found = tensors.get(name);
    if (found === undefined) throw new GoldenError(`${golden.file}: ${name} is missing`);
    return found;
  };
  const names = golden.groups.flatMap(({ parameters }) => parameters);
  const parameters = new Map(
    names.map((name) => {
      const { data, shape } = given(`initial.${name}`);
      return [name, new Parameter(Tensor.fromArray(data, shape, { dtype }))] as const;
    }),
  );
  const groups = golden.groups.map((group) => ({
    parameters: new Map([...parameters].filter(([name]) => group.parameters.includes(name))),
    lrScale: group.lr_scale,
    weightDecay: group.weight_decay,
  }));
  const optimizer = new AdamW(groups, { betas: golden.betas, eps: golden.eps });

  const lossAt = (_: unknown, step: number): Tensor => {
    const products = [...parameters].flatMap(([name, p]) => {
      if (golden.idle[name]?.includes(step)) return [];
      const { data } = given(`gradient.${name}`);
      const values = Array.prototype.slice.call(data, step * p.size, (step + 1) * p.size);
      return [p.mul(Tensor.fromArray(values, p.shape, { dtype })).sum()];
    });
    return products.reduce((total, product) => total.add(product));
  };
  const note = async (step: number): Promise<void> => {
    const moments = optimizer.state().tensors;
    for (const [name, p] of parameters) {
      const set = async (key: string, x: Tensor | undefined) => {
        // A parameter that had no gradient yet has no moments: they are zero.
        const data = (await x?.read()) ?? new Float64Array(p.size);
        state.set(`step${step}.${name}.${key}`, { shape: p.shape, data });
      };
      await set('p', p);
      for (const key of ['m', 'v']) await set(key, moments.get(`${name}.${key}`));
    }
  };
  await train(optimizer, recipeOf(golden), lossAt, async (report) => {
    reports.push(report);
    if (golden.checked_steps.includes(report.step)) await note(report.step);
    return true;
  });
  optimizer.dispose();
  for (const p of parameters.values()) p.dispose();
}
