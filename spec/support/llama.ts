/**
 * LLaMA in plain loops over numbers, one sequence, without a cache: what a CogVLM without its vision must be. Written for
 * itself; shares no code with the library.
 */
import type { CogVLM } from '../../src/models/cogvlm/index.ts';

type Vector = number[];
type Matrix = Vector[];

const sum = (values: Vector) => values.reduce((total, v) => total + v, 0);
const product = (W: Matrix, x: Vector): Vector => W.map((row) => sum(row.map((w, i) => w * x[i])));
const plus = (a: Vector, b: Vector): Vector => a.map((v, i) => v + b[i]);

function rmsNorm(x: Vector, weight: Vector, eps: number): Vector {
  const root = Math.sqrt(sum(x.map((v) => v * v)) / x.length + eps);
  return x.map((v, i) => (weight[i] * v) / root);
}

/** Half-split: column j turns with column j + K/2. */
function turned(head: Vector, position: number, base: number): Vector {
  const half = head.length / 2;
  return head.map((v, c) => {
    const j = c % half;
    const angle = position * base ** ((-2 * j) / head.length);
    return c < half
      ? v * Math.cos(angle) - head[c + half] * Math.sin(angle)
      : head[c - half] * Math.sin(angle) + v * Math.cos(angle);
  });
}

export class PlainLlama {
  readonly #weights: ReadonlyMap<string, Matrix>;
  readonly #config: CogVLM['config'];

  /** Takes the language weights out of a CogVLM; the vision weights are not looked at. */
  constructor(model: CogVLM) {
    this.#config = model.config;
    const weights = new Map<string, Matrix>();
    for (const [name, tensor] of model.stateDict()) {
      const data = Array.from(tensor.data);
      const width = tensor.shape[tensor.rank - 1];
      const rows = data.length / width;
      weights.set(
        name,
        Array.from({ length: rows }, (_, r) => data.slice(r * width, (r + 1) * width)),
      );
    }
    this.#weights = weights;
  }

  #get(name: string): Matrix {
    const found = this.#weights.get(name);
    if (found === undefined) throw new Error(`no weight ${name}`);
    return found;
  }

  embed(ids: readonly number[]): Matrix {
    const table = this.#get('model.embed_tokens.weight');
    return ids.map((id) => table[id]);
  }

  /** Embeddings [T][D] at positions [T] → logits [T][V]. */
  logits(embeddings: Matrix, positions: readonly number[]): Matrix {
    const { numHiddenLayers, rmsNormEps: eps } = this.#config;
    let x = embeddings;
    for (let i = 0; i < numHiddenLayers; i++) {
      const layer = `model.layers.${i}`;
      const [before] = this.#get(`${layer}.input_layernorm.weight`);
      const [after] = this.#get(`${layer}.post_attention_layernorm.weight`);
      const attended = this.#attention(
        layer,
        x.map((row) => rmsNorm(row, before, eps)),
        positions,
      );
      x = x.map((row, t) => plus(row, attended[t]));
      x = x.map((row) => plus(row, this.#feedForward(layer, rmsNorm(row, after, eps))));
    }
    const [norm] = this.#get('model.norm.weight');
    const head = this.#get('lm_head.weight');
    return x.map((row) => product(head, rmsNorm(row, norm, eps)));
  }

  #attention(layer: string, x: Matrix, positions: readonly number[]): Matrix {
    const { numAttentionHeads: H, numKeyValueHeads: kv, hiddenSize: D, ropeTheta } = this.#config;
    const K = D / H;
    const qkv = x.map((row) =>
      product(this.#get(`${layer}.self_attn.language_expert_query_key_value.weight`), row),
    );
    const head = (row: Vector, n: number) => row.slice(n * K, (n + 1) * K);
    const dense = this.#get(`${layer}.self_attn.language_expert_dense.weight`);
    return x.map((_, t) => {
      const context: Vector = [];
      for (let h = 0; h < H; h++) {
        const shared = Math.floor(h / (H / kv));
        const q = turned(head(qkv[t], h), positions[t], ropeTheta);
        const scores = qkv.slice(0, t + 1).map((row, s) => {
          const k = turned(head(row, H + shared), positions[s], ropeTheta);
          return sum(q.map((v, i) => v * k[i])) / Math.sqrt(K);
        });
        const largest = Math.max(...scores);
        const e = scores.map((score) => Math.exp(score - largest));
        const total = sum(e);
        for (let i = 0; i < K; i++) {
          context.push(sum(e.map((p, s) => (p / total) * head(qkv[s], H + kv + shared)[i])));
        }
      }
      return product(dense, context);
    });
  }

  #feedForward(layer: string, x: Vector): Vector {
    const weight = (name: string) => this.#get(`${layer}.mlp.language_mlp.${name}.weight`);
    const up = product(weight('up_proj'), x);
    const gated = product(weight('gate_proj'), x).map((v, i) => (v / (1 + Math.exp(-v))) * up[i]);
    return product(weight('down_proj'), gated);
  }
}
