/** What a verification consists of: parts that each give a section of the report, in the order in which they run. */
import { join } from 'node:path';
import type { Backend } from '../../src/kernels/backend.ts';
import { type BackendName, createBackend } from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { kept, type Row } from '../../src/verify/judge.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import type { ReportSection } from '../../src/verify/report/report.ts';
import { traceModel } from '../../src/verify/trace/trace.ts';
import { verifyFolder } from '../../src/verify/verify.ts';
import { mutationRows } from '../mutation/run.ts';
import { applies, type Effort, PROPERTIES, type Setting, settings } from '../properties/index.ts';
import { namedFor, PLANTED_BUGS } from '../support/plantedBugs.ts';

type FloatDType = 'float32' | 'float64';

export interface Part {
  readonly title: string;
  readonly backend: string;
  readonly dtype: FloatDType | '';
  rows(): Promise<readonly Row[]>;
}

/** Where each kind of golden folder is computed. */
interface Place {
  /** As the report names it. */
  readonly name: string;
  readonly dtype: FloatDType;
  readonly use: BackendName | (() => Promise<Backend>);
}

const plainSimd = () => createBackend('wasm', { wasm: { relaxed: false } });

const FLOAT64: readonly Place[] = [
  { name: 'cpu', dtype: 'float64', use: 'cpu' },
  { name: 'wasm', dtype: 'float64', use: 'wasm' },
];

/** Kernels as they are, with the rounding of float32. */
const FLOAT32: readonly Place[] = [
  { name: 'cpu', dtype: 'float32', use: 'cpu' },
  { name: 'cpu-strict', dtype: 'float32', use: 'cpu-strict' },
  { name: 'wasm', dtype: 'float32', use: 'wasm' },
  { name: 'wasm, plain SIMD', dtype: 'float32', use: plainSimd },
  { name: 'gpujs', dtype: 'float32', use: 'gpujs' },
];

/**
 * Whole models: a chain of 200 results in which one attention query is nearly tied, so that kernels are run without their
 * rounding (docs/numerics.md). Module by module, as the trace does it, they run as they are.
 */
const WHOLE: readonly Place[] = [
  { name: 'cpu', dtype: 'float64', use: 'cpu' },
  { name: 'wasm', dtype: 'float64', use: 'wasm' },
  { name: 'cpu', dtype: 'float32', use: 'cpu' },
  { name: 'wasm-exact', dtype: 'float32', use: 'wasm-exact' },
  { name: 'gpujs-exact', dtype: 'float32', use: 'gpujs-exact' },
];

const EVERYWHERE = [...FLOAT64, ...FLOAT32];

const MODELS = ['cogvlm', 'cogvlm2'];

const FOLDERS: Readonly<Record<string, readonly Place[]>> = {
  ops: EVERYWHERE,
  modules: EVERYWHERE,
  cogvlm: WHOLE,
  cogvlm2: WHOLE,
  training: EVERYWHERE,
  onnx: EVERYWHERE,
  preprocess: [WHOLE[0]],
};

const golden = (name: string) => goldenFolder(join(import.meta.dirname, '../goldens', name));

async function onPlace<R>({ use }: Place, work: () => Promise<R>): Promise<R> {
  await setBackend(typeof use === 'string' ? use : await use());
  try {
    return await work();
  } finally {
    await setBackend('cpu');
  }
}

function goldenParts(): Part[] {
  return Object.entries(FOLDERS).flatMap(([title, places]) =>
    places.map((place) => ({
      title,
      backend: place.name,
      dtype: place.dtype,
      rows: () => onPlace(place, async () => (await verifyFolder(golden(title), place.dtype)).rows),
    })),
  );
}

function traceParts(): Part[] {
  return MODELS.flatMap((model) =>
    EVERYWHERE.map((place) => ({
      title: `${model}, module by module`,
      backend: place.name,
      dtype: place.dtype,
      rows: () => onPlace(place, () => traceModel(golden(model), place.dtype)),
    })),
  );
}

/** A row for each sentence, with the smallest case that breaks it. */
async function propertyRows(setting: Setting): Promise<Row[]> {
  const rows: Row[] = [];
  for (const property of PROPERTIES) {
    if (!applies(property, setting)) continue;
    const subject = { name: property.name, of: 'invariant', check: 'property' } as const;
    const broken = await property.holds(setting).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    rows.push(kept(subject, broken));
  }
  return rows;
}

function propertyParts(effort: Effort): Part[] {
  return settings(effort).map((setting) => ({
    title: 'invariants',
    backend: typeof setting.backend === 'string' ? setting.backend : setting.backend.name,
    dtype: setting.dtype,
    rows: () => propertyRows(setting),
  }));
}

/** Faults written into the source: the trace has to name the module of each. */
async function plantedRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, named, edits] of PLANTED_BUGS) {
    const found = await namedFor(edits);
    const note = found === named ? null : `the trace names ${found ?? 'nothing'}, expected ${named}`;
    rows.push(kept({ name: what, of: named, check: 'property' }, note));
  }
  return rows;
}

/** Takes minutes: says where it is. */
const mutantRows = () =>
  mutationRows(({ file, verdicts }, seconds) =>
    console.error(`    ${file}: ${verdicts.length} mutants, ${seconds.toFixed(1)} s`),
  );

const none = { backend: '', dtype: '' } as const;

export function parts(effort: Effort, withMutants: boolean): Part[] {
  return [
    ...goldenParts(),
    ...traceParts(),
    { title: 'planted faults', ...none, rows: plantedRows },
    ...propertyParts(effort),
    ...(withMutants ? [{ title: 'mutants', ...none, rows: mutantRows }] : []),
  ];
}

export async function sectionOf({ title, backend, dtype, rows }: Part): Promise<ReportSection> {
  const begun = performance.now();
  const done = await rows();
  return { title, backend, dtype, rows: done, seconds: (performance.now() - begun) / 1000 };
}
