/**
 * PyTorch's results for cases: value and every gradient in float64, and how far PyTorch's own float32 run is off. The inputs
 * and the gradient from above are float32 numbers, so that float32 and float64 runs share them. A folder holds
 *
 *   manifest.json       { kind, torch, cases: { "matmul/plain": { attrs, inputs, errors } } }
 *   cases.safetensors   "matmul/plain: in.a", "…: in.b", "…: dy", "…: out", "…: grad.a", "…: grad.b"
 */
import type { SafetensorsFile } from '../data/index.ts';
import { type Case, caseId, caseRng, gradientInputs, upstreamNumbers } from './cases.ts';
import type { Findings, Lack, Numbers } from './finding.ts';
import { GoldenError, type GoldenFolder, openFixtures, readJson, whileOpen } from './golden.ts';
import { sampleNumbers } from './samples.ts';

interface CaseEntry {
  readonly attrs: unknown;
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** Largest error of PyTorch's float32 run, by result: "out", "grad.a". */
  readonly errors: Readonly<Record<string, number>>;
}

export interface FixtureManifest {
  readonly kind: string;
  readonly torch: string;
  readonly cases: Readonly<Record<string, CaseEntry>>;
}

/** A result of PyTorch, and its float32 run's error in it. */
export interface Expected extends Numbers {
  readonly torchError: number | null;
}

export interface Fixture {
  /** Row-major gradient from above; empty where the result has no gradient. */
  readonly dy: ArrayLike<number>;
  readonly out: Expected;
  /** By input name. */
  readonly gradients: ReadonlyMap<string, Expected>;
}

export const MAKE_FIXTURES = 'make them again: npm run goldens';

/** What `use` finds with a reader of the folder's fixtures, which answers with the reason where it has none for a case. */
export async function* withFixtures(
  folder: GoldenFolder,
  use: (fixtureOf: (one: Case) => Promise<Fixture | Lack>) => Findings,
): Findings {
  const manifest = (await readJson(folder, 'manifest.json')) as FixtureManifest;
  if (typeof manifest?.cases !== 'object')
    throw new GoldenError(`${folder.label}/manifest.json: cases is no object`);
  const lack = (note: string) => ({ status: 'MISSING', note: `${note}; ${MAKE_FIXTURES}` }) as const;
  yield* whileOpen(openFixtures(folder, 'cases.safetensors'), (file) =>
    use(async (one) => {
      const entry = manifest.cases[caseId(one)];
      if (entry === undefined) return lack('PyTorch’s results are missing');
      const stale = await staleInput(one, entry, file);
      return stale === null ? readFixture(one, entry, file) : lack(`PyTorch got another ${stale}`);
    }),
  );
}

/** Which input of a case is no longer what PyTorch got. */
async function staleInput(one: Case, entry: CaseEntry, file: SafetensorsFile): Promise<string | null> {
  if (JSON.stringify(entry.attrs) !== JSON.stringify(one.attrs)) return 'attrs';
  for (const [i, numbers] of sampleNumbers(one.sample, caseRng(one)).entries()) {
    if (numbers === null) continue;
    const { shape, data } = await file.read(`${caseId(one)}: in.${one.names[i]}`);
    const same =
      String(shape) === String(one.sample.inputs[i].shape) && numbers.every((v, j) => Object.is(v, data[j]));
    if (!same) return one.names[i];
  }
  return null;
}

async function readFixture(one: Case, { errors }: CaseEntry, file: SafetensorsFile): Promise<Fixture> {
  const expected = async (result: string): Promise<Expected> => {
    const { shape, data } = await file.read(`${caseId(one)}: ${result}`);
    return { shape, data, torchError: errors[result] ?? null };
  };
  const out = await expected('out');
  const gradients = new Map<string, Expected>();
  if (!file.tensors.has(`${caseId(one)}: dy`)) return { dy: [], out, gradients };
  for (const { name } of gradientInputs(one)) gradients.set(name, await expected(`grad.${name}`));
  return { dy: upstreamNumbers(one, out.data.length), out, gradients };
}
