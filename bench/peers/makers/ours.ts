/** The rows on this library, on the backend in use. */
import { apply, attention, noGrad, type Parameter, scope, swiglu, type Tensor } from '../../../src/index.ts';
import { noise } from '../../case.ts';
import { layerParts } from '../../models/decoder.ts';
import { expertParts } from '../../models/expertLayer.ts';
import { gptTraining } from '../../models/gpt.ts';
import { probes } from '../../noise.ts';
import type { Makers, Ready } from '../answers.ts';

/**
 * Waits for a result where the backend answers later: kernels run in the order in which they were asked for, so that one
 * number is there when all before it is. Nothing elsewhere.
 */
export type Settle = (x: Tensor) => unknown;

export const atOnce: Settle = () => undefined;

/** By the first number of the result. */
export const onDevice: Settle = (x) => x.reshape(x.size).slice(0, 0, 1).read();

async function probed(x: Tensor): Promise<number[]> {
  const data = await x.read();
  return probes(data.length).map((i) => data[i]);
}

/** A call without gradients whose result is looked at once. */
function forward(compute: () => Tensor, settle: Settle): Ready {
  return {
    call: () => scope(() => settle(noGrad(compute))),
    check: () => scope(() => probed(noGrad(compute))),
  };
}

interface WithGradients {
  /** The input; its gradient is looked at, and that of `weight`. */
  readonly x: Tensor;
  readonly weight: Parameter;
  /** Gradient of the output. */
  readonly seed: Tensor;
  run(): Tensor;
  zeroGrad(): void;
}

function backward({ x, weight, seed, run, zeroGrad }: WithGradients, settle: Settle): Ready {
  x.requiresGrad = true;
  const gradients = () => {
    run().backward(seed);
    return [x, weight].flatMap(({ grad }) => (grad === null ? [] : [grad]));
  };
  const forget = () => {
    zeroGrad();
    x.zeroGrad();
  };
  return {
    call: () =>
      scope(() => {
        const settled = settle(gradients()[0]);
        forget();
        return settled;
      }),
    check: () =>
      scope(async () => {
        const found = await Promise.all(gradients().map(probed));
        forget();
        return found.flat();
      }),
  };
}

export function ourMakers(settle: Settle): Makers {
  return {
    matmul({ m, k, n }) {
      const [a, b] = [noise([m, k]), noise([k, n], 1, 1)];
      return forward(() => a.matmul(b), settle);
    },
    linear({ k, n }) {
      const [x, w] = [noise([1, k]), noise([n, k], 1, 1).transpose()];
      return forward(() => x.matmul(w), settle);
    },
    softmax({ shape }) {
      const x = noise(shape, 4);
      return forward(() => x.softmax(), settle);
    },
    layerNorm({ shape }) {
      const width = [shape[shape.length - 1]];
      const inputs = [noise(shape), noise(width, 1, 1), noise(width, 1, 2)];
      return forward(() => apply('layerNorm', inputs, { eps: 1e-6 }), settle);
    },
    rmsNorm({ shape }) {
      const inputs = [noise(shape), noise([shape[shape.length - 1]], 1, 1)];
      return forward(() => apply('rmsNorm', inputs, { eps: 1e-5 }), settle);
    },
    gelu({ shape }) {
      const x = noise(shape, 4);
      return forward(() => x.gelu(), settle);
    },
    swiglu({ shape }) {
      const [a, b] = [noise(shape, 4), noise(shape, 1, 1)];
      return forward(() => swiglu(a, b), settle);
    },
    attention({ heads, tokens, headDim }) {
      const [q, k, v] = [0, 1, 2].map((stream) => noise([1, heads, tokens, headDim], 1, stream));
      return forward(() => attention(q, k, v, { causal: true }), settle);
    },
    layer(sizes) {
      const { layer, angles, x } = layerParts(sizes);
      return forward(() => layer.call(x, angles), settle);
    },
    layerBackward(sizes) {
      const { layer, angles, x } = layerParts(sizes);
      const weight = layer.q_proj.weight;
      const run = () => layer.call(x, angles);
      return backward(
        { x, weight, seed: noise(x.shape, 1, 1), run, zeroGrad: () => layer.zeroGrad() },
        settle,
      );
    },
    expert(sizes) {
      const { layer, context, x } = expertParts(sizes);
      return forward(() => layer.call(x, context), settle);
    },
    expertBackward(sizes) {
      const { layer, context, x } = expertParts(sizes);
      const weight = layer.self_attn.vision_expert_query_key_value.weight;
      const run = () => layer.call(x, context);
      return backward(
        { x, weight, seed: noise(x.shape, 1, 1), run, zeroGrad: () => layer.zeroGrad() },
        settle,
      );
    },
    gpt(sizes) {
      const { step } = gptTraining(sizes);
      const losses: number[] = [];
      const call = async () => void losses.push(await step());
      return {
        call,
        async check() {
          await call();
          return losses.slice(0, 2);
        },
      };
    },
  };
}
