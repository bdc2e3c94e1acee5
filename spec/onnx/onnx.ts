/**
 * ONNX's own test cases against our ops: inputs and expected outputs of some 800 small graphs, computed by the ONNX project
 * with numpy and by PyTorch. `ops.ts` says what each operator means in ours.
 *
 * Truths are float32 numbers for the most part: results of numpy in float32, so a float64 run is judged by how well they
 * were computed. A case that mixes widths of floats (casts, mostly) keeps them in every run; one with float64 runs where
 * the backend has it. Half precision is a form of storage: read widened, stored rounded.
 */

import { roundToBf16, roundToF16, widenBf16, widenF16 } from '../../src/data/safetensors/halfFloat.ts';
import type { SafetensorsFile } from '../../src/data/safetensors/read.ts';
import type { DType } from '../../src/kernels/backend.ts';
import { getBackend } from '../../src/tensor/context.ts';
import { scope } from '../../src/tensor/scope.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import { type Finding, type Findings, NOT_COMPUTED, type Numbers } from '../../src/verify/finding.ts';
import {
  GoldenError,
  type GoldenFolder,
  openFixtures,
  readJson,
  whileOpen,
} from '../../src/verify/golden.ts';
import type { Subject } from '../../src/verify/row.ts';
import type { FloatDType } from '../../src/verify/samples.ts';
import { EXACT, FLOAT32_PAIR, FLOAT64, NUMPY_FLOAT32, type Tolerance } from '../../src/verify/tolerances.ts';
import { OnnxCall, type OnnxLiteral, type OnnxNode } from './call.ts';
import { EXACT_OPS, onnxOps } from './ops.ts';

/** A name in cases.safetensors, or the tensor itself. */
type TensorRef = string | OnnxLiteral;

export interface OnnxCase {
  readonly name: string;
  /** The operator it is about. */
  readonly op: string;
  readonly opset: number;
  readonly nodes: readonly OnnxNode[];
  readonly inputs: Readonly<Record<string, TensorRef>>;
  readonly outputs: Readonly<Record<string, TensorRef>>;
  /** Of all tensors, as safetensors names them. */
  readonly dtypes: readonly string[];
}

export interface OnnxManifest {
  readonly kind: 'onnx';
  readonly origin: string;
  readonly licence: string;
  readonly cases: readonly OnnxCase[];
  /** Cases that our ops do not cover, and why. */
  readonly leftOut: readonly { readonly name: string; readonly op: string; readonly why: string }[];
}

export async function readOnnxManifest(folder: GoldenFolder): Promise<OnnxManifest> {
  const json = (await readJson(folder, 'manifest.json')) as Partial<OnnxManifest> | null;
  if (json?.kind !== 'onnx' || !Array.isArray(json.cases) || !Array.isArray(json.leftOut)) {
    throw new GoldenError(`${folder.label}/manifest.json is not of kind onnx with lists cases and leftOut`);
  }
  return json as OnnxManifest;
}

/** One for each output of each case that the current backend has the dtypes for. */
export async function* verifyOnnx(
  folder: GoldenFolder,
  dtype: FloatDType,
  wanted: (one: OnnxCase) => boolean = () => true,
): Findings {
  const { cases } = await readOnnxManifest(folder);
  yield* whileOpen(openFixtures(folder, 'cases.safetensors'), async function* (file): Findings {
    for (const one of cases)
      if (wanted(one) && runsHere(one)) yield* await scope(() => findingsOf(one, dtype, file));
  });
}

/** Whether the current backend has the dtypes of a case. */
export function runsHere({ dtypes }: OnnxCase): boolean {
  return !dtypes.includes('F64') || getBackend().dtypes.includes('float64');
}

const ownWidths = ({ dtypes }: OnnxCase): boolean =>
  ['F64', 'F16', 'BF16'].some((width) => dtypes.includes(width));

interface Stored extends Numbers {
  /** As safetensors calls it. */
  readonly dtype: string;
}

async function stored(ref: TensorRef, file: SafetensorsFile): Promise<Stored> {
  if (typeof ref === 'string') return file.read(ref);
  return { ...ref, data: ref.values.map(Number) };
}

function heldIn(dtype: string, float: FloatDType): DType {
  if (dtype === 'F64') return 'float64';
  if (dtype === 'F32') return float;
  if (dtype === 'F16' || dtype === 'BF16') return 'float32';
  return dtype === 'BOOL' ? 'bool' : 'int32';
}

async function findingsOf(one: OnnxCase, dtype: FloatDType, file: SafetensorsFile): Promise<Finding[]> {
  const float = ownWidths(one) ? 'float32' : dtype;
  const about = (output: string): Subject => ({ name: `${one.name}/${output}`, of: one.op, check: 'value' });
  let values: ReadonlyMap<string, Tensor>;
  try {
    values = await computed(one, float, file);
  } catch (error) {
    return Object.keys(one.outputs).map((name) => ({ subject: about(name), broken: `it threw ${error}` }));
  }
  const findings: Finding[] = [];
  for (const [name, ref] of Object.entries(one.outputs)) {
    const truth = await stored(ref, file);
    const tolerance = toleranceOf(one, truth, float);
    findings.push(
      await findingOf(about(name), truth, values.get(name), heldIn(truth.dtype, float), tolerance),
    );
  }
  for (const value of values.values()) value.zeroGrad(); // gradients outlive scopes
  return findings;
}

async function findingOf(
  subject: Subject,
  truth: Stored,
  result: Tensor | undefined,
  dtype: DType,
  tolerance: Tolerance,
): Promise<Finding> {
  if (result === undefined) return { subject, truth, computed: NOT_COMPUTED, allowance: { tolerance } };
  if (result.dtype !== dtype) return { subject, broken: `is ${result.dtype}, expected ${dtype}` };
  const computed = { shape: result.shape, data: asStored(await result.read(), truth.dtype) };
  return { subject, truth, computed, allowance: { tolerance } };
}

/** Every value of the graph by name. */
async function computed(
  { opset, nodes, inputs }: OnnxCase,
  float: FloatDType,
  file: SafetensorsFile,
): Promise<ReadonlyMap<string, Tensor>> {
  const values = new Map<string, Tensor>();
  const differentiated = nodes.some(({ op }) => op === 'Gradient');
  for (const [name, ref] of Object.entries(inputs)) {
    const { data, shape, dtype } = await stored(ref, file);
    const held = heldIn(dtype, float);
    values.set(name, Tensor.fromArray(data, shape, { dtype: held, requiresGrad: differentiated }));
  }
  for (const node of nodes) {
    const op = onnxOps.get(node.op);
    if (op === undefined) throw new Error(`${node.op} is not among the ${onnxOps.size} operators`);
    const results = [await op(new OnnxCall(node, { opset, float, values }))].flat();
    for (const [i, name] of node.outputs.entries()) {
      if (name !== null && results[i] !== undefined) values.set(name, results[i]);
    }
  }
  return values;
}

/** Numbers as they are after being stored in half precision; others as they are. */
function asStored(numbers: ArrayLike<number>, dtype: string): ArrayLike<number> {
  if (dtype === 'F16') return widenF16(roundToF16(Float32Array.from(numbers)));
  return dtype === 'BF16' ? widenBf16(roundToBf16(Float32Array.from(numbers))) : numbers;
}

function toleranceOf(one: OnnxCase, truth: Stored, float: FloatDType): Tolerance {
  if (!['F32', 'F64'].includes(truth.dtype) || one.nodes.every(({ op }) => EXACT_OPS.has(op))) return EXACT;
  if (truth.dtype === 'F64') return FLOAT64;
  return float === 'float64' ? NUMPY_FLOAT32 : FLOAT32_PAIR;
}
