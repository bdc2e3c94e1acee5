/**
 * Writes ONNX models: the few protobuf messages that a graph of nodes and float32 constants needs (onnx.proto, IR 9).
 * A field is a key (number · 8 + wire type) and a varint, four bytes, or a length and so many bytes.
 */

const VARINT = 0;
const LENGTH = 2;
const FIXED32 = 5;

/** A message is kept in pieces, so that constants are copied once, at the end. */
type Pieces = readonly Uint8Array[];

export function varint(value: number): Uint8Array {
  // int64 in two's complement: negative numbers take ten bytes.
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Uint8Array.from(out);
}

const key = (field: number, wire: number): Uint8Array => varint(field * 8 + wire);
const sizeOf = (pieces: Pieces): number => pieces.reduce((sum, { length }) => sum + length, 0);

const int = (field: number, value: number): Pieces => [key(field, VARINT), varint(value)];
const message = (field: number, ...parts: readonly Pieces[]): Pieces => {
  const body = parts.flat();
  return [key(field, LENGTH), varint(sizeOf(body)), ...body];
};
const text = (field: number, value: string): Pieces => message(field, [new TextEncoder().encode(value)]);
const float = (field: number, value: number): Pieces => [
  key(field, FIXED32),
  new Uint8Array(Float32Array.of(value).buffer),
];

const FLOAT = 1;
const INT64 = 7;

export type Attributes = Readonly<
  Record<string, number | { readonly float: number } | { readonly ints: readonly number[] }>
>;

function attribute([name, value]: Readonly<[string, Attributes[string]]>): Pieces {
  const [FLOAT_TYPE, INT_TYPE, INTS_TYPE] = [1, 2, 7];
  if (typeof value === 'number') return message(5, text(1, name), int(3, value), int(20, INT_TYPE));
  if ('float' in value) return message(5, text(1, name), float(2, value.float), int(20, FLOAT_TYPE));
  return message(5, text(1, name), ...value.ints.map((i) => int(8, i)), int(20, INTS_TYPE));
}

function tensor(name: string, shape: readonly number[], type: number, data: Uint8Array): Pieces {
  return message(5, ...shape.map((n) => int(1, n)), int(2, type), text(8, name), message(9, [data]));
}

/** A graph under construction; values are named by what makes them. */
export class OnnxGraph {
  readonly #nodes: Pieces[] = [];
  readonly #constants: Pieces[] = [];
  readonly #inputs: Pieces[] = [];
  readonly #outputs: Pieces[] = [];
  #named = 0;

  #fresh(): string {
    return `v${this.#named++}`;
  }

  input(name: string, shape: readonly number[]): string {
    const dims = shape.map((n) => message(1, int(1, n)));
    this.#inputs.push(message(11, text(1, name), message(2, message(1, int(1, FLOAT), message(2, ...dims)))));
    return name;
  }

  constant(values: Float32Array, shape: readonly number[]): string {
    const name = this.#fresh();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push(tensor(name, shape, FLOAT, bytes));
    return name;
  }

  /** A vector of whole numbers, which `Reshape` and `Slice` take. */
  integers(values: readonly number[]): string {
    const name = this.#fresh();
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    this.#constants.push(tensor(name, [values.length], INT64, bytes));
    return name;
  }

  /** One node of several results. */
  nodes(count: number, op: string, inputs: readonly string[], attributes: Attributes = {}): string[] {
    const results = Array.from({ length: count }, () => this.#fresh());
    this.#nodes.push(
      message(
        1,
        ...inputs.map((input) => text(1, input)),
        ...results.map((result) => text(2, result)),
        text(4, op),
        ...Object.entries(attributes).map(attribute),
      ),
    );
    return results;
  }

  node(op: string, inputs: readonly string[], attributes?: Attributes): string {
    return this.nodes(1, op, inputs, attributes)[0];
  }

  output(name: string): void {
    this.#outputs.push(message(12, text(1, name), message(2, message(1, int(1, FLOAT)))));
  }

  /** The bytes of the model. */
  encode(opset = 20): Uint8Array<ArrayBuffer> {
    const graph = message(
      7,
      ...this.#nodes,
      text(2, 'bench'),
      ...this.#constants,
      ...this.#inputs,
      ...this.#outputs,
    );
    const pieces = [int(1, 9), graph, message(8, text(1, ''), int(2, opset))].flat();
    const bytes = new Uint8Array(sizeOf(pieces));
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
