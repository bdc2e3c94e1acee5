/** What a verification consists of: parts that each give a section of the report, in the order in which they run. */
import { join } from 'node:path';
import {
  type BackendName,
  type BackendOptions,
  createBackend,
  loadBackend,
} from '../../src/kernels/registry.ts';
import { setBackend } from '../../src/tensor/index.ts';
import { judge } from '../../src/verify/judge.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import { asItIs, type Computing, computing } from '../../src/verify/policy.ts';
import type { ReportSection } from '../../src/verify/report/report.ts';
import type { Row } from '../../src/verify/row.ts';
import type { FloatDType } from '../../src/verify/samples.ts';
import { traceModel } from '../../src/verify/trace/trace.ts';
import { type FolderKind, verifyKind } from '../../src/verify/verify.ts';
import { mutationRows } from '../mutation/run.ts';
import { verifyOnnx } from '../onnx/onnx.ts';
import { applies, type Effort, PROPERTIES, type Setting, settings } from '../properties/index.ts';
import { namedFor, PLANTED_BUGS } from '../support/plantedBugs.ts';
import { rowsOf } from '../support/rows.ts';

export interface Part {
  readonly title: string;
  readonly backend: string;
  readonly dtype: FloatDType | '';
  rows(): Promise<readonly Row[]>;
}

/** A backend, one of its variants where `options` say so. */
interface Place {
  readonly backend: BackendName;
  readonly dtype: FloatDType;
  readonly variant?: { readonly name: string; readonly options: BackendOptions };
}

const CPU64: Place = { backend: 'cpu', dtype: 'float64' };

const WASM64: Place = { backend: 'wasm', dtype: 'float64' };
const CPU: Place = { backend: 'cpu', dtype: 'float32' };
const WASM: Place = { backend: 'wasm', dtype: 'float32' };
const GPUJS: Place = { backend: 'gpujs', dtype: 'float32' };
const STRICT: Place = { ...CPU, variant: { name: 'strict', options: { cpu: { strict: true } } } };
const PLAIN_SIMD: Place = { ...WASM, variant: { name: 'plain SIMD', options: { wasm: { relaxed: false } } } };

const BACKENDS = [CPU64, WASM64, CPU, WASM, GPUJS];
const EVERYWHERE = [CPU64, WASM64, CPU, STRICT, WASM, PLAIN_SIMD, GPUJS];

const MODELS = ['cogvlm', 'cogvlm2'];

/** Golden folders by name, of which kind they are, and where they are computed. */
const FOLDERS: Readonly<Record<string, readonly [FolderKind, readonly Place[]]>> = {
  ops: ['ops', EVERYWHERE],
  functions: ['functions', EVERYWHERE],
  modules: ['modules', EVERYWHERE],
  cogvlm: ['model', BACKENDS],
  cogvlm2: ['model', BACKENDS],
  training: ['training', EVERYWHERE],
  preprocess: ['preprocess', [CPU64]],
};

const golden = (name: string) => goldenFolder(join(import.meta.dirname, '../goldens', name));

/** A part that is computed in one place. */
function partAt(
  title: string,
  { backend, dtype, variant }: Place,
  { name, on }: Computing,
  rows: () => Promise<readonly Row[]>,
): Part {
  return {
    title,
    backend: variant === undefined ? name : `${name}, ${variant.name}`,
    dtype,
    rows: async () => {
      const plain = variant === undefined ? loadBackend(backend) : createBackend(backend, variant.options);
      await setBackend(on(await plain));
      try {
        return await rows();
      } finally {
        await setBackend('cpu');
      }
    },
  };
}

function goldenParts(): Part[] {
  return Object.entries(FOLDERS).flatMap(([title, [kind, places]]) =>
    places.map((place) =>
      partAt(title, place, computing(kind, place.dtype, place.backend), async () => {
        return (await verifyKind(kind, golden(title), place.dtype)).rows;
      }),
    ),
  );
}

/** Operator by operator, so that every backend computes as it is. */
function onnxParts(): Part[] {
  return EVERYWHERE.map((place) =>
    partAt('onnx', place, asItIs(place.backend), () => rowsOf(verifyOnnx(golden('onnx'), place.dtype))),
  );
}

/** Each module by itself: no chain of results, so that every backend computes as it is. */
function traceParts(): Part[] {
  return MODELS.flatMap((model) =>
    EVERYWHERE.map((place) =>
      partAt(`${model}, module by module`, place, asItIs(place.backend), () =>
        traceModel(golden(model), place.dtype),
      ),
    ),
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
    rows.push(judge({ subject, broken }));
  }
  return rows;
}

function propertyParts(effort: Effort): Part[] {
  return settings(effort).map((setting) => ({
    title: 'invariants',
    backend: setting.place,
    dtype: setting.dtype,
    rows: () => propertyRows(setting),
  }));
}

/** Faults written into the source: the trace has to name the module of each. */
async function plantedRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [what, named, edits] of PLANTED_BUGS) {
    const found = await namedFor(edits);
    const broken = found === named ? null : `the trace names ${found ?? 'nothing'}, expected ${named}`;
    rows.push(judge({ subject: { name: what, of: named, check: 'property' }, broken }));
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
    ...onnxParts(),
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
