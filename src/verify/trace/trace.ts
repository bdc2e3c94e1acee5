/**
 * Which module is at fault. In a whole run every module's output carries the errors of all modules before it; here each
 * module runs alone on the golden's own input, so that what comes out shows its own error only.
 *
 *   P/out   what module P makes of P/in;  P/din   the gradient by that input for dy[i] = ((7919 i) mod 1009 − 504)/512
 *
 * The module runs with the arguments (expert routing, positions) that a forward pass of the whole single sample gave it;
 * only its input is another. position_ids and vision_expert_mask are therefore compared first. Modules without an input of
 * real numbers (embedding, position table, the whole model) are judged by the whole run. The golden side is
 * spec/goldens/generate/trace.py.
 */
import type { SafetensorsFile } from '../../data/index.ts';
import { loadCogVLM, positionIds, visionExpertMask } from '../../models/cogvlm/index.ts';
import { scope } from '../../tensor/index.ts';
import { EXACTLY, type Result } from '../finding.ts';
import {
  type GoldenCase,
  GoldenError,
  type GoldenFolder,
  openFixtures,
  readCase,
  readJson,
  readTruth,
  withOpen,
} from '../golden.ts';
import { judge } from '../judge.ts';
import { pictureTensor } from '../pictures.ts';
import type { Row } from '../row.ts';
import type { FloatDType } from '../samples.ts';
import { traceTolerance } from '../tolerances.ts';
import { type Outcome, runModule, runWhole, type WholeRun } from './run.ts';

export interface TraceRow extends Row {
  /** The run stopped before this module was called, so that nothing is known of it. */
  readonly blocked: boolean;
}

/** One entry of trace.json: PyTorch's own float32 errors, each the largest of its runs. */
interface TracedModule {
  readonly path: string;
  readonly out: number;
  readonly din?: number;
}

/** The rows of a model folder on the current backend: position ids, expert mask, then each module in the golden's order. */
export async function traceModel(folder: GoldenFolder, dtype: FloatDType): Promise<TraceRow[]> {
  const modules = await readTrace(folder);
  const golden = await readCase(folder);
  const config = await readJson(folder, 'checkpoint/config.json');
  const model = await withOpen(folder.checkpoint('checkpoint'), (file) =>
    loadCogVLM(config, file, { dtype }),
  );
  const pixels = await withOpen(folder.safetensors('inputs.safetensors'), (f) =>
    readTruth(f, 'pixel_values'),
  );
  const rows = await integerRows(folder, golden);
  try {
    await scope(() =>
      withOpen(openFixtures(folder, 'trace.safetensors'), async (file) => {
        const run = runWhole(model.requireGrad(false), golden, pictureTensor(pixels, 0, 1, dtype));
        for (const module of modules) rows.push(...(await moduleRows(file, run, module, dtype)));
      }),
    );
  } finally {
    model.dispose();
  }
  return rows;
}

async function moduleRows(
  file: SafetensorsFile,
  run: WholeRun,
  { path, ...torchErrors }: TracedModule,
  dtype: FloatDType,
): Promise<TraceRow[]> {
  const input = file.tensors.has(`${path}/in`) ? await readTruth(file, `${path}/in`) : null;
  const made = await runModule(run, path, input, dtype);
  const row = async (result: 'out' | 'din', computed: Outcome): Promise<TraceRow> => {
    const check = result === 'out' ? 'value' : 'gradient';
    const truth = await readTruth(file, `${path}/${result}`);
    const tolerance = traceTolerance(dtype, truth.data, check);
    return traceRow({
      subject: { name: truth.name, of: path, check },
      truth,
      computed,
      allowance: { tolerance, torchError: torchErrors[result] ?? null },
    });
  };
  const out = await row('out', made.out);
  return made.din === null ? [out] : [out, await row('din', made.din)];
}

function traceRow(finding: Omit<Result, 'computed'> & { readonly computed: Outcome }): TraceRow {
  const { computed } = finding;
  return { ...judge(finding), blocked: 'blocked' in computed && computed.blocked };
}

/**
 * The first module whose own error is out of line: it is wrong, and nothing inside it is.
 * @returns its path ('' for the whole model), "position_ids" or "vision_expert_mask"; null where all are right
 */
export function moduleAtFault(rows: readonly TraceRow[]): string | null {
  const wrong = rows.filter(({ status, blocked }) => status !== 'OK' && !blocked).map(({ of }) => of);
  const isInside = (path: string, outer: string) =>
    outer === '' ? path !== '' : path.startsWith(`${outer}.`);
  return wrong.find((outer) => !wrong.some((path) => isInside(path, outer))) ?? null;
}

async function readTrace(folder: GoldenFolder): Promise<readonly TracedModule[]> {
  const json = (await readJson(folder, 'trace.json')) as { modules?: unknown } | null;
  const isModule = (entry: TracedModule | null) =>
    typeof entry?.path === 'string' &&
    typeof entry.out === 'number' &&
    ['number', 'undefined'].includes(typeof entry.din);
  if (Array.isArray(json?.modules) && json.modules.length > 0 && json.modules.every(isModule))
    return json.modules;
  throw new GoldenError(`${folder.label}/trace.json: modules is not a list of {path, out, din?}`);
}

/** What no module is to blame for: who goes where. */
async function integerRows(folder: GoldenFolder, { token_type_ids: types }: GoldenCase): Promise<TraceRow[]> {
  const computed = {
    position_ids: positionIds(types),
    vision_expert_mask: visionExpertMask(types).map(Number),
  };
  return withOpen(folder.safetensors('truth.safetensors'), (file) =>
    Promise.all(
      Object.entries(computed).map(async ([name, data]): Promise<TraceRow> => {
        return traceRow({
          subject: { name, of: name, check: 'value' },
          truth: await readTruth(file, name),
          computed: { shape: [1, data.length], data },
          allowance: EXACTLY,
        });
      }),
    ),
  );
}
