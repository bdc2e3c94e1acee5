/** TensorFlow.js: `tfjs.mjs THREADS wasm|cpu`. Weights are kept [in, out], as its layers keep them. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { noiseValues, probes, weightScale } from '../../noise.ts';
import { serve } from '../serve.ts';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs');
const backend = process.argv[3];
if (backend === 'wasm') {
  const { setWasmPaths } = require('@tensorflow/tfjs-backend-wasm');
  const home = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  setWasmPaths(join(home, 'dist', '/'));
}
await tf.setBackend(backend);
await tf.ready();
tf.enableProdMode();

const size = (shape) => shape.reduce((n, m) => n * m, 1);
const noise = (shape, scale = 1, stream = 0) => tf.tensor(noiseValues(size(shape), stream, scale), shape);
/** Of a weight [out, in]: [in, out] */
const weight = ([out, fanIn], stream) =>
  tf.tidy(() => noise([out, fanIn], weightScale(fanIn), stream).transpose());
const probed = (x) => {
  const data = x.dataSync();
  return probes(data.length).map((i) => data[i]);
};

/** What is looked at is the last result: one more call can take seconds. */
function forward(compute, look = probed) {
  let result;
  return {
    call() {
      tf.dispose(result);
      result = compute();
    },
    check: () => look(result),
  };
}

const normalised = (x, eps) => {
  const { mean, variance } = tf.moments(x, -1, true);
  return x.sub(mean).mul(variance.add(eps).rsqrt());
};
const rms = (x, eps = 1e-5) => x.mul(x.square().mean(-1, true).add(eps).rsqrt());
const gelu = (x) => x.mul(x.mul(Math.SQRT1_2).erf().add(1).mul(0.5));
const causalMask = (T) =>
  tf.tensor(
    Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e30 : 0)),
    [T, T],
  );
const attend = (q, k, v, mask) =>
  tf
    .matMul(q, k, false, true)
    .mul(1 / Math.sqrt(q.shape.at(-1)))
    .add(mask)
    .softmax()
    .matMul(v);

/** x [N, in] */
const linear = (x, w) => tf.matMul(x, w);

function layerParts({ width: D, heads, intermediateSize: F, tokens: T }) {
  const K = D / heads;
  const shapes = [
    [D, D],
    [D, D],
    [D, D],
    [D, D],
    [F, D],
    [F, D],
    [D, F],
  ];
  const weights = shapes.map((shape, i) => weight(shape, 2 + i));
  const norms = [tf.ones([D]), tf.ones([D])];
  const angle = (i) => Math.floor(i / (K / 2)) * 10000 ** (-(2 * (i % (K / 2))) / K);
  const table = (f) =>
    tf.tensor(
      Float32Array.from({ length: (T * K) / 2 }, (_, i) => f(angle(i))),
      [1, T, K / 2],
    );
  const [cos, sin, mask] = [table(Math.cos), table(Math.sin), causalMask(T)];
  const turn = (x) => {
    const [a, b] = tf.split(x, 2, -1);
    return tf.concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1);
  };
  const toHeads = (x) => x.reshape([T, heads, K]).transpose([1, 0, 2]);
  const layer = (x, wq, wk, wv, wo, gate, up, down, norm1, norm2) => {
    const a = rms(x).mul(norm1);
    const [q, k, v] = [wq, wk, wv].map((w) => toHeads(linear(a, w)));
    const heard = attend(turn(q), turn(k), v, mask).transpose([1, 0, 2]).reshape([T, D]);
    const h = x.add(linear(heard, wo));
    const b = rms(h).mul(norm2);
    const gated = linear(b, gate);
    return h.add(linear(gated.mul(gated.sigmoid()).mul(linear(b, up)), down));
  };
  return { layer, inputs: [noise([T, D]), ...weights, ...norms] };
}

await serve({
  matmul({ m, k, n }) {
    const [a, b] = [noise([m, k]), noise([k, n], 1, 1)];
    return forward(() => tf.matMul(a, b));
  },
  linear({ k, n }) {
    const x = noise([1, k]);
    const w = tf.tidy(() => noise([n, k], 1, 1).transpose());
    return forward(() => tf.matMul(x, w));
  },
  softmax({ shape }) {
    const x = noise(shape, 4);
    return forward(() => tf.softmax(x));
  },
  layerNorm({ shape }) {
    const width = shape.slice(-1);
    const [x, w, b] = [noise(shape), noise(width, 1, 1), noise(width, 1, 2)];
    return forward(() => tf.tidy(() => normalised(x, 1e-6).mul(w).add(b)));
  },
  rmsNorm({ shape }) {
    const [x, w] = [noise(shape), noise(shape.slice(-1), 1, 1)];
    return forward(() => tf.tidy(() => rms(x).mul(w)));
  },
  gelu({ shape }) {
    const x = noise(shape, 4);
    return forward(() => tf.tidy(() => gelu(x)));
  },
  swiglu({ shape }) {
    const [a, b] = [noise(shape, 4), noise(shape, 1, 1)];
    return forward(() => tf.tidy(() => a.mul(a.sigmoid()).mul(b)));
  },
  attention({ heads, tokens, headDim }) {
    const [q, k, v] = [0, 1, 2].map((stream) => noise([1, heads, tokens, headDim], 1, stream));
    const mask = causalMask(tokens);
    return forward(() => tf.tidy(() => attend(q, k, v, mask)));
  },
  layer(sizes) {
    const { layer, inputs } = layerParts(sizes);
    return forward(() => tf.tidy(() => layer(...inputs)));
  },
  layerBackward(sizes) {
    const { layer, inputs } = layerParts(sizes);
    const seed = noise([sizes.tokens, sizes.width], 1, 1);
    const gradients = tf.grads(layer);
    return forward(
      () => tf.tidy(() => gradients(inputs, seed)),
      ([dx, dq]) => tf.tidy(() => [...probed(dx), ...probed(dq.transpose())]),
    );
  },
  gpt({ layers, width: D, heads, intermediateSize: F, tokens: T, batch: B, vocabulary: V }) {
    const K = D / heads;
    const variable = (tensor) => {
      const made = tf.variable(tensor);
      tensor.dispose();
      return made;
    };
    const block = [
      [D, D],
      [D, D],
      [D, D],
      [D, D],
      [F, D],
      [D, F],
    ];
    let stream = 4;
    const positions = variable(noise([T, D], weightScale(D), 2));
    const tokens = variable(noise([V, D], weightScale(D), 3));
    const blocks = Array.from({ length: layers }, () =>
      block.map((shape) => variable(weight(shape, stream++))),
    );
    const head = variable(weight([V, D], stream));
    const norms = Array.from({ length: 2 * layers + 1 }, () => [
      variable(tf.ones([D])),
      variable(tf.zeros([D])),
    ]);
    const mask = causalMask(T);
    const text = (shift) =>
      Array.from({ length: B * T }, (_, i) => {
        const [b, t] = [Math.floor(i / T), (i % T) + shift];
        return (37 * b + 11 * t + t * t) % V;
      });
    // The gradient of gather has no wasm kernel: tokens are looked up by a product with rows of one 1.
    const [ids, labels] = [text(0), text(1)].map((list) =>
      tf.oneHot(tf.tensor1d(list, 'int32'), V).toFloat(),
    );
    const norm = (x, i) => normalised(x, 1e-5).mul(norms[i][0]).add(norms[i][1]);
    const toHeads = (x) => x.reshape([B, T, heads, K]).transpose([0, 2, 1, 3]);
    const loss = () => {
      let x = linear(ids, tokens)
        .reshape([B, T, D])
        .add(positions)
        .reshape([B * T, D]);
      for (const [i, [wq, wk, wv, wo, up, down]] of blocks.entries()) {
        const a = norm(x, 2 * i);
        const [q, k, v] = [wq, wk, wv].map((w) => toHeads(linear(a, w)));
        x = x.add(
          linear(
            attend(q, k, v, mask)
              .transpose([0, 2, 1, 3])
              .reshape([B * T, D]),
            wo,
          ),
        );
        x = x.add(linear(gelu(linear(norm(x, 2 * i + 1), up)), down));
      }
      return tf.losses.softmaxCrossEntropy(labels, linear(norm(x, 2 * layers), head));
    };
    const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
    const losses = [];
    const step = () => {
      const value = optimizer.minimize(loss, true);
      losses.push(value.dataSync()[0]);
      value.dispose();
    };
    return {
      call: step,
      check() {
        step();
        return losses.slice(0, 2);
      },
    };
  },
});
