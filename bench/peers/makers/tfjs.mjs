/** The rows on TensorFlow.js, on its backend in use. Weights are kept [in, out], as its layers keep them. */
import { noiseValues, probes, weightScale } from '../../noise.ts';

/** @param tf the module @returns {import('../answers.ts').Makers} */
export function tfjsMakers(tf) {
  const size = (shape) => shape.reduce((n, m) => n * m, 1);
  const noise = (shape, scale = 1, stream = 0) => tf.tensor(noiseValues(size(shape), stream, scale), shape);
  /** Of a weight [out, in]: [in, out] */
  const weight = ([out, fanIn], stream) =>
    tf.tidy(() => noise([out, fanIn], weightScale(fanIn), stream).transpose());
  const probed = async (x) => {
    const data = await x.data();
    return probes(data.length).map((i) => data[i]);
  };
  /** WebGPU answers later, in the order in which it was asked: one number is there when all before it is. */
  const isLater = tf.getBackend() === 'webgpu';
  const settled = async (x) => {
    const first = x.slice(new Array(x.rank).fill(0), new Array(x.rank).fill(1));
    await first.data();
    first.dispose();
  };

  /** What is looked at is the last result: one more call can take seconds. */
  function forward(compute, look = probed) {
    let result;
    return {
      call() {
        tf.dispose(result);
        result = compute();
        return isLater ? settled([result].flat()[0]) : undefined;
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

  /** Gradients of the inputs; those of the first two are looked at, of which the second is a weight. */
  function backward(layer, inputs, seed) {
    const gradients = tf.grads(layer);
    return forward(
      () => tf.tidy(() => gradients(inputs, seed)),
      async ([dx, dw]) => {
        const turned = dw.transpose();
        const found = [...(await probed(dx)), ...(await probed(turned))];
        turned.dispose();
        return found;
      },
    );
  }

  /** Heads of width K over T tokens, and how q and k are turned. */
  function attentionParts(
    { width: D, heads, tokens: T },
    positions = Array.from({ length: T }, (_, t) => t),
  ) {
    const K = D / heads;
    const half = K / 2;
    const angle = (i) => positions[Math.floor(i / half)] * 10000 ** (-(2 * (i % half)) / K);
    const table = (f) =>
      tf.tensor(
        Float32Array.from({ length: T * half }, (_, i) => f(angle(i))),
        [1, T, half],
      );
    const [cos, sin, mask] = [table(Math.cos), table(Math.sin), causalMask(T)];
    const turn = (x) => {
      const [a, b] = tf.split(x, 2, -1);
      return tf.concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1);
    };
    const toHeads = (x) => x.reshape([T, heads, K]).transpose([1, 0, 2]);
    return (q, k, v) =>
      attend(turn(toHeads(q)), turn(toHeads(k)), toHeads(v), mask)
        .transpose([1, 0, 2])
        .reshape([T, D]);
  }

  const swiglu = (x, gate, up, down) => {
    const gated = linear(x, gate);
    return linear(gated.mul(gated.sigmoid()).mul(linear(x, up)), down);
  };

  function layerParts(sizes) {
    const { width: D, intermediateSize: F, tokens: T } = sizes;
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
    const hear = attentionParts(sizes);
    const layer = (x, wq, wk, wv, wo, gate, up, down, norm1, norm2) => {
      const a = rms(x).mul(norm1);
      const h = x.add(linear(hear(linear(a, wq), linear(a, wk), linear(a, wv)), wo));
      return h.add(swiglu(rms(h).mul(norm2), gate, up, down));
    };
    return { layer, inputs: [noise([T, D]), ...weights, ...norms] };
  }

  function expertParts(sizes) {
    const { width: D, intermediateSize: F, tokens: T, image, positions } = sizes;
    const [from, to] = image;
    const [attention, mlp] = [
      [
        [3 * D, D],
        [D, D],
      ],
      [
        [F, D],
        [F, D],
        [D, F],
      ],
    ];
    const weights = [...attention, ...attention, ...mlp, ...mlp].map((shape, i) => weight(shape, 2 + i));
    const norms = [tf.ones([D]), tf.ones([D])];
    const hear = attentionParts(sizes, positions);
    /** Image tokens through one, the others through the other. */
    const routed = (x, ofImage, ofText) => {
      const width = x.shape[1];
      const part = (first, last) => x.slice([first, 0], [last - first, width]);
      const y = ofText(tf.concat([part(0, from), part(to, T)], 0));
      const rows = (first, last) => y.slice([first, 0], [last - first, y.shape[1]]);
      return tf.concat([rows(0, from), ofImage(part(from, to)), rows(from, from + T - to)], 0);
    };
    const layer = (x, qkvI, denseI, qkvT, denseT, ...rest) => {
      const [gateT, upT, downT, gateI, upI, downI, norm1, norm2] = rest;
      const qkv = routed(
        rms(x).mul(norm1),
        (y) => linear(y, qkvI),
        (y) => linear(y, qkvT),
      );
      const heard = hear(...tf.split(qkv, 3, -1));
      const h = x.add(
        routed(
          heard,
          (y) => linear(y, denseI),
          (y) => linear(y, denseT),
        ),
      );
      return h.add(
        routed(
          rms(h).mul(norm2),
          (y) => swiglu(y, gateI, upI, downI),
          (y) => swiglu(y, gateT, upT, downT),
        ),
      );
    };
    return { layer, inputs: [noise([T, D]), ...weights, ...norms] };
  }

  return {
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
      return backward(layer, inputs, seed);
    },
    expert(sizes) {
      const { layer, inputs } = expertParts(sizes);
      return forward(() => tf.tidy(() => layer(...inputs)));
    },
    expertBackward(sizes) {
      const { layer, inputs } = expertParts(sizes);
      return backward(layer, inputs, noise([sizes.tokens, sizes.width], 1, 1));
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
      const step = async () => {
        const value = optimizer.minimize(loss, true);
        losses.push((await value.data())[0]);
        value.dispose();
      };
      return {
        call: step,
        async check() {
          await step();
          return losses.slice(0, 2);
        },
      };
    },
  };
}
