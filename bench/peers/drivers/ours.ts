/** This library: `ours.mjs THREADS`. (Node only) */
import {
  apply,
  attention,
  getBackend,
  noGrad,
  scope,
  setBackend,
  swiglu,
  type Tensor,
} from '../../../src/index.ts';
import { noise } from '../../case.ts';
import { wasmBackend } from '../../contestants.ts';
import { layerParts } from '../../models/decoder.ts';
import { gptTraining } from '../../models/gpt.ts';
import { probes } from '../../noise.ts';
import { type Ready, serve } from '../serve.ts';

function probed(x: Tensor): number[] {
  const { data } = x;
  return probes(data.length).map((i) => data[i]);
}

/** A call without gradients whose result is looked at once. */
function forward(compute: () => Tensor): Ready {
  return {
    call: () => scope(() => void noGrad(compute)),
    check: () => scope(() => probed(noGrad(compute))),
  };
}

await setBackend(await wasmBackend(Number(process.argv[2]), false));
process.stdout.write(`${getBackend().describe()}\n`);

await serve({
  matmul({ m, k, n }) {
    const [a, b] = [noise([m, k]), noise([k, n], 1, 1)];
    return forward(() => a.matmul(b));
  },
  linear({ k, n }) {
    const [x, w] = [noise([1, k]), noise([n, k], 1, 1).transpose()];
    return forward(() => x.matmul(w));
  },
  softmax({ shape }) {
    const x = noise(shape, 4);
    return forward(() => x.softmax());
  },
  layerNorm({ shape }) {
    const width = [shape[shape.length - 1]];
    const inputs = [noise(shape), noise(width, 1, 1), noise(width, 1, 2)];
    return forward(() => apply('layerNorm', inputs, { eps: 1e-6 }));
  },
  rmsNorm({ shape }) {
    const inputs = [noise(shape), noise([shape[shape.length - 1]], 1, 1)];
    return forward(() => apply('rmsNorm', inputs, { eps: 1e-5 }));
  },
  gelu({ shape }) {
    const x = noise(shape, 4);
    return forward(() => x.gelu());
  },
  swiglu({ shape }) {
    const [a, b] = [noise(shape, 4), noise(shape, 1, 1)];
    return forward(() => swiglu(a, b));
  },
  attention({ heads, tokens, headDim }) {
    const [q, k, v] = [0, 1, 2].map((stream) => noise([1, heads, tokens, headDim], 1, stream));
    return forward(() => attention(q, k, v, { causal: true }));
  },
  layer(sizes) {
    const { layer, angles, x } = layerParts(sizes);
    return forward(() => layer.call(x, angles));
  },
  layerBackward(sizes) {
    const { layer, angles, x } = layerParts(sizes);
    const seed = noise(x.shape, 1, 1);
    x.requiresGrad = true;
    const gradients = () => {
      layer.call(x, angles).backward(seed);
      return [x, layer.q_proj.weight].flatMap(({ grad }) => (grad === null ? [] : [grad]));
    };
    const forget = () => {
      layer.zeroGrad();
      x.zeroGrad();
    };
    return {
      call: () =>
        scope(() => {
          gradients();
          forget();
        }),
      check: () =>
        scope(() => {
          const found = gradients().flatMap(probed);
          forget();
          return found;
        }),
    };
  },
  gpt(sizes) {
    const { step } = gptTraining(sizes);
    const losses: number[] = [];
    return {
      call: () => void losses.push(step()),
      check() {
        losses.push(step());
        return losses.slice(0, 2);
      },
    };
  },
});
