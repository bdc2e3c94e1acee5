/**
 * Faults as people make them, written into the source, and the module at which the trace has to find each of them.
 */
import { join } from 'node:path';
import type { GoldenFolder } from '../../src/verify/golden.ts';
import { goldenFolder } from '../../src/verify/node.ts';
import { moduleAtFault, type TraceRow } from '../../src/verify/trace/trace.ts';
import { type Edit, importAltered } from './altered.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

export const goldenModel = (model: string): GoldenFolder => goldenFolder(join(GOLDENS, model));

/** The trace's rows for a source with edits, in float64 on cpu. */
export async function alteredTrace(edits: readonly Edit[], model = 'cogvlm'): Promise<TraceRow[]> {
  const source = await importAltered<typeof import('../../src/verify/trace/trace.ts')>(
    'src/verify/trace/trace.ts',
    edits,
  );
  return source.traceModel(goldenModel(model), 'float64');
}

/** What the trace names for a source with edits. */
export async function namedFor(edits: readonly Edit[]): Promise<string | null> {
  return moduleAtFault(await alteredTrace(edits));
}

const EXPERT = 'src/models/cogvlm/visualExpert.ts';
const MASKS = 'src/models/cogvlm/masks.ts';
const VIT = 'src/models/cogvlm/evaVit.ts';
const ADAPTER = 'src/models/cogvlm/adapter.ts';
const TANH_GELU = `((u) => u.mul(0.5).mul(u.mul(u).mul(u).mul(0.044715).add(u).mul(${Math.sqrt(2 / Math.PI)}).tanh().add(1)))`;

export const PLANTED_BUGS: readonly (readonly [what: string, named: string, edits: readonly Edit[]])[] = [
  [
    'rotary embedding of neighbours (interleaved)',
    'model.layers.0.self_attn',
    [
      {
        file: 'src/nn/rotary.ts',
        from: `return apply('rotary', [x, cos, sin], {});`,
        to: `const [B, H, T, K] = x.shape;
               const halves = x.reshape(B, H, T, K / 2, 2).transpose().reshape(B, H, T, K);
               return apply('rotary', [halves, cos, sin], {}).reshape(B, H, T, 2, K / 2).transpose().reshape(B, H, T, K);`,
      },
    ],
  ],
  [
    'eoi goes to the vision expert',
    'vision_expert_mask',
    [
      {
        file: MASKS,
        from: 'type === VISION_TYPE && types[t + 1] === VISION_TYPE);',
        to: 'type === VISION_TYPE);',
      },
    ],
  ],
  [
    'scores divided by √ of the model’s width, not the head’s',
    'model.layers.0.self_attn',
    [
      {
        file: EXPERT,
        from: 'attention(Q, keys, values,',
        to: 'attention(Q.mul(1 / Math.sqrt(this.#heads)), keys, values,',
      },
    ],
  ],
  [
    'norms before the sublayers of the ViT',
    'model.vision.transformer.layers.0',
    [
      {
        file: VIT,
        from: 'this.input_layernorm.call(this.attention.call(x))',
        to: 'this.attention.call(this.input_layernorm.call(x))',
      },
      {
        file: VIT,
        from: 'this.post_attention_layernorm.call(this.mlp.call(h))',
        to: 'this.mlp.call(this.post_attention_layernorm.call(h))',
      },
    ],
  ],
  [
    'GELU by tanh in the ViT',
    'model.vision.transformer.layers.0.mlp',
    [{ file: VIT, from: 'this.fc1.call(x).gelu()', to: `${TANH_GELU}(this.fc1.call(x))` }],
  ],
  [
    'GELU by tanh in the adapter',
    'model.vision.linear_proj',
    [
      {
        file: ADAPTER,
        from: 'this.norm1.call(this.linear_proj.call(x)).gelu()',
        to: `${TANH_GELU}(this.norm1.call(this.linear_proj.call(x)))`,
      },
    ],
  ],
  [
    'Tril is missing',
    'model.layers.0.self_attn',
    [{ file: EXPERT, from: '{ causal: true, visible }', to: '{ causal: false, visible }' }],
  ],
  [
    'positions that begin at 1',
    'position_ids',
    [{ file: MASKS, from: 'let position = 0;', to: 'let position = 1;' }],
  ],
  [
    'gate and up change places',
    'model.layers.0.mlp.vision_mlp',
    [
      {
        file: 'src/nn/swiglu.ts',
        from: 'swiglu(this.gate_proj.call(x), this.up_proj.call(x))',
        to: 'swiglu(this.up_proj.call(x), this.gate_proj.call(x))',
      },
    ],
  ],
  [
    'RMSNorm rounds to float32 before the weight multiplies, as LLaMA’s does',
    'model.layers.0.input_layernorm',
    [
      {
        file: 'src/nn/norm.ts',
        from: `return apply('rmsNorm', [x, this.weight], { eps: this.#eps });`,
        to: `const ones = this.weight.mul(0).add(1);
               return apply('rmsNorm', [x, ones], { eps: this.#eps }).to('float32').to(x.dtype).mul(this.weight);`,
      },
    ],
  ],
  [
    'q, k and v head by head in the fused projection',
    'model.layers.0.self_attn',
    [
      {
        file: EXPERT,
        from: 'splitHeads(QKV.slice(2, 0, q), this.#heads)',
        to: 'splitHeads(QKV, this.#heads).slice(3, 0, headDim)',
      },
      {
        file: EXPERT,
        from: 'splitHeads(QKV.slice(2, q, q + kv), this.#kvHeads)',
        to: 'splitHeads(QKV, this.#heads).slice(3, headDim, 2 * headDim)',
      },
      {
        file: EXPERT,
        from: 'splitHeads(QKV.slice(2, q + kv), this.#kvHeads)',
        to: 'splitHeads(QKV, this.#heads).slice(3, 2 * headDim)',
      },
    ],
  ],
];
