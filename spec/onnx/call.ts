/**
 * One node of an ONNX graph as an op sees it: its inputs, its attributes with their defaults, and lists of integers (axes,
 * sizes, positions), which ONNX passes as int64 tensors and the library as plain numbers.
 *
 * int64, int16 and int8 are held in int32, as the safetensors reader holds them.
 */
import type { DType } from '../../src/kernels/backend.ts';
import { normalizeAxis } from '../../src/tensor/shape.ts';
import { Tensor } from '../../src/tensor/tensor.ts';
import type { FloatDType } from '../../src/verify/samples.ts';

/** A tensor written out: a scalar, a constant, a short list of int64. */
export interface OnnxLiteral {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean)[];
}

export type OnnxAttribute = number | string | readonly number[] | readonly string[] | OnnxLiteral;

export interface OnnxNode {
  readonly op: string;
  /** Names of values; null where an optional one is not given. */
  readonly inputs: readonly (string | null)[];
  readonly outputs: readonly (string | null)[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What a node means for the rest of its graph: one result for each output. */
export type OnnxOp = (call: OnnxCall) => Results | Promise<Results>;
export type Results = Tensor | readonly Tensor[];

/** Values of a graph by name, and what its operators mean. */
export interface OnnxScope {
  /** Version of the operator set. */
  readonly opset: number;
  /** What ONNX's float is held in. */
  readonly float: FloatDType;
  readonly values: ReadonlyMap<string, Tensor>;
}

/** ONNX's TensorProto.DataType, as far as we have them; half precision is a form of storage. */
const DATA_TYPES: Readonly<Record<number, DType | 'float'>> = {
  1: 'float',
  3: 'int32',
  5: 'int32',
  6: 'int32',
  7: 'int32',
  9: 'bool',
  10: 'float32',
  11: 'float64',
  16: 'float32',
};

export class OnnxCall {
  readonly node: OnnxNode;
  readonly scope: OnnxScope;

  constructor(node: OnnxNode, scope: OnnxScope) {
    this.node = node;
    this.scope = scope;
  }

  /** @throws Error where there is no such value yet */
  value(name: string): Tensor {
    const tensor = this.scope.values.get(name);
    if (tensor === undefined) throw new Error(`${this.node.op}: no value is called ${name}`);
    return tensor;
  }

  /** @throws Error where input i is not given */
  input(i: number): Tensor {
    const tensor = this.maybe(i);
    if (tensor === null) throw new Error(`${this.node.op}: input ${i} is not given`);
    return tensor;
  }

  /** Input i, or null where it is not given. */
  maybe(i: number): Tensor | null {
    const name = this.node.inputs[i];
    return name === null || name === undefined ? null : this.value(name);
  }

  /** All inputs of an op that takes any number of them. */
  get inputs(): readonly Tensor[] {
    return this.node.inputs.map((_, i) => this.input(i));
  }

  /** Numbers of input i, or null where it is not given. */
  async numbers(i: number): Promise<number[] | null> {
    const tensor = this.maybe(i);
    return tensor === null ? null : Array.from(await tensor.read());
  }

  /**
   * A list of integers that was an attribute in older operator sets and is input i in newer ones.
   */
  async list(name: string, i: number): Promise<readonly number[] | null> {
    return (this.node.attributes[name] as readonly number[] | undefined) ?? (await this.numbers(i));
  }

  /** The same, of an op that cannot do without. @throws Error where it is not given */
  async required(name: string, i: number): Promise<readonly number[]> {
    const list = await this.list(name, i);
    if (list === null) throw new Error(`${this.node.op}: ${name} (input ${i}) is not given`);
    return list;
  }

  has(name: string): boolean {
    return name in this.node.attributes;
  }

  number(name: string, byDefault: number): number {
    return (this.node.attributes[name] as number | undefined) ?? byDefault;
  }

  text(name: string, byDefault: string): string {
    return (this.node.attributes[name] as string | undefined) ?? byDefault;
  }

  integers(name: string, byDefault: readonly number[]): readonly number[] {
    return (this.node.attributes[name] as readonly number[] | undefined) ?? byDefault;
  }

  literal(name: string): OnnxLiteral | null {
    return (this.node.attributes[name] as OnnxLiteral | undefined) ?? null;
  }

  /** An attribute that is an axis of x, counted from the front. */
  axis(x: Tensor, byDefault: number): number {
    return normalizeAxis(this.node.op, x, this.number('axis', byDefault));
  }

  /** The dtype that an attribute names, as TensorProto.DataType. @throws Error for one that we do not have */
  dtype(name: string): DType | null {
    if (!this.has(name)) return null;
    const found = DATA_TYPES[this.number(name, 0)];
    if (found === undefined) throw new Error(`${this.node.op}: ${name}: no dtype ${this.number(name, 0)}`);
    return found === 'float' ? this.scope.float : found;
  }
}

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A place counted from the end, where it is negative. */
export const fromEnd = (index: number, size: number): number => (index < 0 ? index + size : index);

/** One number in the dtype of `like`, to meet it in an op. */
export function scalar(value: number, like: Tensor): Tensor {
  return Tensor.full([], value, { dtype: like.dtype });
}

const LITERAL_DTYPES: Readonly<Record<string, DType>> = {
  F64: 'float64',
  I64: 'int32',
  I32: 'int32',
  BOOL: 'bool',
};

export function fromLiteral({ dtype, shape, values }: OnnxLiteral, float: FloatDType): Tensor {
  const held = dtype === 'F32' ? float : LITERAL_DTYPES[dtype];
  if (held === undefined) throw new Error(`a literal of dtype ${dtype}, expected F32, F64, I64, I32 or BOOL`);
  return Tensor.fromArray(values.map(Number), shape, { dtype: held });
}
