/** jax-js: `jax.mjs THREADS`. A function consumes its arguments; `.ref` keeps one. */
import { noiseValues, probes, weightScale } from '../../noise.ts';
import { serve } from '../serve.ts';
import { prepareNode } from './jaxNode.mjs';

prepareNode(Number(process.argv[2]));
const {
  blockUntilReady,
  defaultDevice,
  grad,
  init,
  jit,
  nn,
  numpy: np,
  tree,
  valueAndGrad,
} = await import('@jax-js/jax');
await init('wasm');
defaultDevice('wasm');

const size = (shape) => shape.reduce((n, m) => n * m, 1);
const noise = (shape, scale = 1, stream = 0) =>
  np.array(noiseValues(size(shape), stream, scale)).reshape(shape);
const weight = (shape, stream) => noise(shape, weightScale(shape[1]), stream);

async function probed(x) {
  const data = await x.data();
  return probes(data.length).map((i) => data[i]);
}

/** `compute` of the inputs, compiled; results are trees of arrays. */
function compiled(compute, inputs, look) {
  const run = jit(compute);
  const call = async () => run(...inputs.map((input) => tree.ref(input)));
  return {
    async call() {
      const result = await call();
      await blockUntilReady(result);
      tree.dispose(result);
    },
    check: async () => look(await call()),
  };
}

const forward = (compute, ...inputs) => compiled(compute, inputs, probed);

const rms = (x, w, eps = 1e-5) => {
  const scale = np.sqrt(np.mean(np.square(x.ref), -1, { keepdims: true }).add(eps));
  return x.div(scale).mul(w);
};
const layerNorm = (x, w, b, eps) => {
  const mean = np.mean(x.ref, -1, { keepdims: true });
  const centred = x.sub(mean);
  const scale = np.sqrt(np.mean(np.square(centred.ref), -1, { keepdims: true }).add(eps));
  return centred.div(scale).mul(w).add(b);
};
/** x [..., in], w [out, in] */
const linear = (x, w) => np.matmul(x, w.transpose());

/** From our [1, H, T, K] to its [1, T, H, K], or back */
function swapped(values, H, T, K) {
  const out = new Float32Array(values.length);
  for (let h = 0; h < H; h++) {
    for (let t = 0; t < T; t++) {
      const from = (h * T + t) * K;
      out.set(values.subarray(from, from + K), (t * H + h) * K);
    }
  }
  return out;
}

function layerParts({ width: D, heads, intermediateSize: F, tokens: T }) {
  const K = D / heads;
  const half = K / 2;
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
  const norms = [np.ones([D]), np.ones([D])];
  const angle = (i) => Math.floor(i / half) * 10000 ** (-(2 * (i % half)) / K);
  const table = (f) =>
    np.array(Float32Array.from({ length: T * half }, (_, i) => f(angle(i)))).reshape([1, T, 1, half]);
  const tables = [table(Math.cos), table(Math.sin)];
  const turn = (x, cos, sin) => {
    const a = x.ref.slice([], [], [], [0, half]);
    const b = x.slice([], [], [], [half, K]);
    return np.concatenate([a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref)), b.mul(cos).add(a.mul(sin))], -1);
  };
  const layer = ([x, wq, wk, wv, wo, gate, up, down, norm1, norm2], [cos, sin]) => {
    const a = rms(x.ref, norm1);
    const heads4 = (y) => y.reshape([1, T, heads, K]);
    const q = turn(heads4(linear(a.ref, wq)), cos.ref, sin.ref);
    const k = turn(heads4(linear(a.ref, wk)), cos, sin);
    const v = heads4(linear(a, wv));
    const heard = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([1, T, D]);
    const h = x.add(linear(heard, wo));
    const b = rms(h.ref, norm2);
    return h.add(linear(nn.silu(linear(b.ref, gate)).mul(linear(b, up)), down));
  };
  return { layer, inputs: [noise([1, T, D]), ...weights, ...norms], tables };
}

await serve({
  matmul: ({ m, k, n }) => forward((a, b) => np.matmul(a, b), noise([m, k]), noise([k, n], 1, 1)),
  linear: ({ k, n }) => forward(linear, noise([1, k]), noise([n, k], 1, 1)),
  softmax: ({ shape }) => forward((x) => nn.softmax(x, -1), noise(shape, 4)),
  layerNorm({ shape }) {
    const width = shape.slice(-1);
    return forward(
      (x, w, b) => layerNorm(x, w, b, 1e-6),
      noise(shape),
      noise(width, 1, 1),
      noise(width, 1, 2),
    );
  },
  rmsNorm: ({ shape }) => forward((x, w) => rms(x, w), noise(shape), noise(shape.slice(-1), 1, 1)),
  gelu: ({ shape }) => forward((x) => nn.gelu(x, { approximate: false }), noise(shape, 4)),
  swiglu: ({ shape }) => forward((a, b) => nn.silu(a).mul(b), noise(shape, 4), noise(shape, 1, 1)),
  attention({ heads: H, tokens: T, headDim: K }) {
    const inputs = [0, 1, 2].map((stream) =>
      np.array(swapped(noiseValues(H * T * K, stream), H, T, K)).reshape([1, T, H, K]),
    );
    return compiled(
      (q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: true }),
      inputs,
      async (y) => {
        const data = swapped(await y.data(), T, H, K);
        return probes(data.length).map((i) => data[i]);
      },
    );
  },
  layer(sizes) {
    const { layer, inputs, tables } = layerParts(sizes);
    return compiled(layer, [inputs, tables], probed);
  },
  layerBackward(sizes) {
    const { layer, inputs, tables } = layerParts(sizes);
    const seed = noise([1, sizes.tokens, sizes.width], 1, 1);
    const gradients = grad((leaves, angles, dy) => np.sum(layer(leaves, angles).mul(dy)));
    return compiled(gradients, [inputs, tables, seed], async ([dx, dq, ...rest]) => {
      tree.dispose(rest);
      return [...(await probed(dx)), ...(await probed(dq))];
    });
  },
  gpt({ layers, width: D, heads, intermediateSize: F, tokens: T, batch: B, vocabulary: V }) {
    const K = D / heads;
    const block = [
      [D, D],
      [D, D],
      [D, D],
      [D, D],
      [F, D],
      [D, F],
    ];
    let stream = 4;
    let state = {
      p: {
        positions: weight([T, D], 2),
        tokens: weight([V, D], 3),
        blocks: Array.from({ length: layers }, () => block.map((shape) => weight(shape, stream++))),
        head: weight([V, D], stream),
        norms: Array.from({ length: 2 * layers + 1 }, () => [np.ones([D]), np.zeros([D])]),
      },
    };
    const zeros = () => tree.map((x) => np.zeros(x.shape), state.p);
    state = { ...state, m: zeros(), v: zeros(), t: np.array(0, { dtype: np.float32 }) };
    const text = (shift) =>
      Int32Array.from({ length: B * T }, (_, i) => {
        const [b, t] = [Math.floor(i / T), (i % T) + shift];
        return (37 * b + 11 * t + t * t) % V;
      });
    const [ids, labels] = [text(0), text(1)].map((list) => np.array(list));

    const loss = (p, at, wanted) => {
      const norm = (x, i) => layerNorm(x, p.norms[i][0], p.norms[i][1], 1e-5);
      let x = np.matmul(nn.oneHot(at, V), p.tokens).reshape([B, T, D]).add(p.positions);
      for (const [i, [wq, wk, wv, wo, up, down]] of p.blocks.entries()) {
        const a = norm(x.ref, 2 * i);
        const [q, k, v] = [linear(a.ref, wq), linear(a.ref, wk), linear(a, wv)].map((y) =>
          y.reshape([B, T, heads, K]),
        );
        x = x.add(linear(nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([B, T, D]), wo));
        const b = norm(x.ref, 2 * i + 1);
        x = x.add(linear(nn.gelu(linear(b, up), { approximate: false }), down));
      }
      const logits = linear(norm(x, 2 * layers), p.head).reshape([B * T, V]);
      return np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(wanted, V))).mul(-1 / (B * T));
    };
    const [lr, decay, b1, b2, eps] = [1e-3, 0.01, 0.9, 0.999, 1e-8];
    const update = jit((s, at, wanted) => {
      const [value, g] = valueAndGrad(loss)(tree.ref(s.p), at, wanted);
      const t = s.t.add(1);
      const m = tree.map((a, d) => a.mul(b1).add(d.mul(1 - b1)), s.m, tree.ref(g));
      const v = tree.map((a, d) => a.mul(b2).add(np.square(d).mul(1 - b2)), s.v, g);
      const mScale = np.reciprocal(np.subtract(1, np.exp(t.ref.mul(Math.log(b1)))));
      const vScale = np.reciprocal(np.subtract(1, np.exp(t.ref.mul(Math.log(b2)))));
      const p = tree.map(
        (w, a, c) =>
          w.mul(1 - lr * decay).sub(
            a
              .mul(mScale.ref)
              .mul(lr)
              .div(np.sqrt(c.mul(vScale.ref)).add(eps)),
          ),
        s.p,
        tree.ref(m),
        tree.ref(v),
      );
      mScale.dispose();
      vScale.dispose();
      return [value, { p, m, v, t }];
    });
    const losses = [];
    const step = async () => {
      const [value, next] = update(state, ids.ref, labels.ref);
      state = next;
      losses.push((await value.data())[0]);
      await blockUntilReady(tree.leaves(state));
    };
    return {
      call: step,
      async check() {
        await step();
        return losses.slice(0, 2);
      },
    };
  },
});
