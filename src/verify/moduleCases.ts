/**
 * The modules and losses of `src/nn` as functions of their inputs and weights. A module that `src/nn` exports and that has no
 * record here does not compile.
 */

import type { DType } from '../kernels/index.ts';
import type * as nn from '../nn/index.ts';
import {
  type AnyModule,
  applyRotary,
  attention,
  crossEntropy,
  Embedding,
  LayerNorm,
  Linear,
  PatchConv,
  RMSNorm,
  RotaryEmbedding,
  SwiGLU,
} from '../nn/index.ts';
import type { SampleInput, Some } from '../tensor/cases.ts';
import type { Tensor } from '../tensor/index.ts';
import type { Case } from './cases.ts';

/** Classes of src/nn that are modules, beside the base class. */
type ModuleName = {
  [N in keyof typeof nn]: (typeof nn)[N] extends new (...args: never[]) => AnyModule ? N : never;
}[keyof typeof nn];

interface ModuleSample<Attrs> {
  readonly note: string;
  readonly attrs: Attrs;
  readonly inputs: Readonly<Record<string, SampleInput>>;
}

interface ModuleRecord<Attrs> {
  /** Weights are drawn anew, 1 added where a fresh module starts at 1. */
  make(attrs: Attrs, dtype: DType): AnyModule | null;
  call(module: AnyModule | null, inputs: readonly Tensor[], attrs: Attrs): Tensor;
  readonly samples: Some<ModuleSample<Attrs>>;
}

/** Gives each record its attributes' type without spelling it out. */
const record = <Attrs>(of: ModuleRecord<Attrs>): ModuleRecord<Attrs> => of;

type Ids = readonly (readonly number[])[];

const records = {
  Linear: record<{ inFeatures: number; outFeatures: number; bias: boolean }>({
    make: (attrs, dtype) => new Linear({ ...attrs, dtype }),
    call: (module, [x]) => (module as Linear).call(x),
    samples: [
      {
        note: 'bias',
        attrs: { inFeatures: 5, outFeatures: 4, bias: true },
        inputs: { x: { shape: [3, 5] } },
      },
      {
        note: 'no bias, three axes',
        attrs: { inFeatures: 6, outFeatures: 3, bias: false },
        inputs: { x: { shape: [2, 3, 6] } },
      },
      {
        note: 'transposed, many features',
        attrs: { inFeatures: 300, outFeatures: 17, bias: true },
        inputs: { x: { shape: [9, 300], layout: 'transposed' } },
      },
      {
        note: 'no rows',
        attrs: { inFeatures: 3, outFeatures: 2, bias: true },
        inputs: { x: { shape: [0, 3] } },
      },
    ],
  }),
  Embedding: record<{ numEmbeddings: number; embeddingDim: number; ids: Ids }>({
    make: (attrs, dtype) => new Embedding({ ...attrs, dtype }),
    call: (module, _inputs, { ids }) => (module as Embedding).call(ids),
    samples: [
      { note: 'plain', attrs: { numEmbeddings: 7, embeddingDim: 3, ids: [[0, 6, 2]] }, inputs: {} },
      {
        note: 'repeated ids',
        attrs: {
          numEmbeddings: 5,
          embeddingDim: 4,
          ids: [
            [1, 1, 4],
            [4, 1, 0],
          ],
        },
        inputs: {},
      },
    ],
  }),
  LayerNorm: record<{ width: number; eps: number }>({
    make: (attrs, dtype) => new LayerNorm({ ...attrs, dtype }),
    call: (module, [x]) => (module as LayerNorm).call(x),
    samples: [
      { note: 'plain', attrs: { width: 6, eps: 1e-6 }, inputs: { x: { shape: [2, 3, 6] } } },
      { note: 'wide', attrs: { width: 515, eps: 1e-5 }, inputs: { x: { shape: [3, 515] } } },
      {
        note: 'far from zero',
        attrs: { width: 64, eps: 1e-6 },
        inputs: { x: { shape: [2, 64], range: [99, 101] } },
      },
    ],
  }),
  RMSNorm: record<{ width: number; eps: number }>({
    make: (attrs, dtype) => new RMSNorm({ ...attrs, dtype }),
    call: (module, [x]) => (module as RMSNorm).call(x),
    samples: [
      { note: 'plain', attrs: { width: 6, eps: 1e-5 }, inputs: { x: { shape: [2, 3, 6] } } },
      { note: 'wide', attrs: { width: 515, eps: 1e-5 }, inputs: { x: { shape: [3, 515] } } },
      {
        note: 'tiny numbers, where ε decides',
        attrs: { width: 8, eps: 1e-5 },
        inputs: { x: { shape: [2, 8], range: [-1e-3, 1e-3] } },
      },
    ],
  }),
  RotaryEmbedding: record<{ headDim: number; base: number; positions: Ids }>({
    make: (attrs, dtype) => new RotaryEmbedding({ ...attrs, dtype }),
    call: (module, [x], { positions }) => applyRotary(x, (module as RotaryEmbedding).call(positions)),
    samples: [
      {
        note: 'positions of a picture',
        attrs: { headDim: 8, base: 10000, positions: [[0, 1, 2, 2, 2, 3, 4]] },
        inputs: { x: { shape: [1, 2, 7, 8] } },
      },
      {
        note: 'far positions, two rows',
        attrs: {
          headDim: 4,
          base: 500000,
          positions: [
            [0, 1000, 2047],
            [7, 8, 9],
          ],
        },
        inputs: { x: { shape: [2, 3, 3, 4] } },
      },
    ],
  }),
  SwiGLU: record<{ width: number; intermediateSize: number }>({
    make: (attrs, dtype) => new SwiGLU({ ...attrs, dtype }),
    call: (module, [x]) => (module as SwiGLU).call(x),
    samples: [
      { note: 'plain', attrs: { width: 4, intermediateSize: 7 }, inputs: { x: { shape: [3, 4] } } },
      { note: 'wide', attrs: { width: 64, intermediateSize: 172 }, inputs: { x: { shape: [2, 5, 64] } } },
    ],
  }),
  PatchConv: record<{ inChannels: number; outChannels: number; size: number }>({
    make: (attrs, dtype) => new PatchConv({ ...attrs, dtype }),
    call: (module, [x]) => (module as PatchConv).call(x),
    samples: [
      {
        note: 'plain',
        attrs: { inChannels: 3, outChannels: 4, size: 2 },
        inputs: { x: { shape: [2, 3, 4, 6] } },
      },
      {
        note: 'rows and columns left over',
        attrs: { inChannels: 2, outChannels: 3, size: 3 },
        inputs: { x: { shape: [1, 2, 7, 5] } },
      },
    ],
  }),
  attention: record<{ causal: boolean; visible: boolean }>({
    make: () => null,
    call: (_module, [q, k, v, visible], { causal }) => attention(q, k, v, { causal, visible }),
    samples: [
      {
        note: 'grouped heads, causal, padded on the left',
        attrs: { causal: true, visible: true },
        inputs: {
          q: { shape: [2, 4, 5, 6] },
          k: { shape: [2, 2, 5, 6] },
          v: { shape: [2, 2, 5, 6] },
          visible: { shape: [2, 5], dtype: 'bool', values: [1, 1, 1, 1, 1, 0, 0, 1, 1, 1] },
        },
      },
      {
        note: 'many keys',
        attrs: { causal: false, visible: false },
        inputs: { q: { shape: [1, 2, 9, 16] }, k: { shape: [1, 2, 130, 16] }, v: { shape: [1, 2, 130, 16] } },
      },
    ],
  }),
  crossEntropy: record<{ labels: readonly number[] }>({
    make: () => null,
    call: (_module, [logits], { labels }) => crossEntropy(logits, labels),
    samples: [
      { note: 'mean of all', attrs: { labels: [2, 0, 4] }, inputs: { logits: { shape: [3, 5] } } },
      {
        note: 'ignored labels',
        attrs: { labels: [-100, 11, -100, 319] },
        inputs: { logits: { shape: [4, 320], range: [-8, 8] } },
      },
    ],
  }),
} satisfies Readonly<Record<Exclude<ModuleName, 'Parameter'> | 'attention' | 'crossEntropy', unknown>>;

/** Weights around what a fresh module starts with. */
function weightInput(shape: readonly number[], path: string, of: string): SampleInput {
  const norm = of.endsWith('Norm') && path === 'weight';
  const fanIn = shape.slice(1).reduce((n, m) => n * m, 1);
  const bound = shape.length === 1 ? 0.5 : Math.sqrt(3 / fanIn);
  return { shape, range: norm ? [0.5, 1.5] : [-bound, bound] };
}

function casesOf<Attrs>(of: string, { make, call, samples }: ModuleRecord<Attrs>): Case[] {
  return samples.map(({ note, attrs, inputs }) => {
    const weights = make(attrs, 'float32')?.namedParameters() ?? new Map<string, Tensor>();
    const shapes = new Map([...weights].map(([path, { shape }]) => [path, shape]));
    const given = Object.values(inputs);
    const drawn = [...shapes].map(([path, shape]) => weightInput(shape, path, of));
    return {
      of,
      note,
      attrs,
      names: [...Object.keys(inputs), ...shapes.keys()],
      sample: { note, attrs, inputs: [...given, ...drawn] },
      bind(tensors) {
        const own = tensors.slice(0, given.length);
        const module = make(attrs, tensors[0].dtype);
        const parameters = [...(module?.namedParameters().values() ?? [])];
        for (const [i, p] of parameters.entries()) p.assign(tensors[given.length + i]);
        return { leaves: [...own, ...parameters], compute: () => call(module, own, attrs) };
      },
    };
  });
}

export function moduleCases(): Case[] {
  return Object.entries(records).flatMap(([of, record]) => casesOf(of, record as ModuleRecord<unknown>));
}
