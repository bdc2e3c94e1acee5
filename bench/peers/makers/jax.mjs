/** The rows on jax-js, on its default device. A function consumes its arguments; `.ref` keeps one. */
import { noiseValues, probes, weightScale } from '../../noise.ts';

/** @param jax the module @returns {import('../answers.ts').Makers} */
export function jaxMakers({ blockUntilReady, grad, jit, nn, numpy: np, tree, valueAndGrad }) {
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

  /** cos and sin [1, T, 1, K/2] of the angles at these positions. */
  function angleTables(K, positions) {
    const half = K / 2;
    const angle = (i) => positions[Math.floor(i / half)] * 10000 ** (-(2 * (i % half)) / K);
    const table = (f) =>
      np
        .array(Float32Array.from({ length: positions.length * half }, (_, i) => f(angle(i))))
        .reshape([1, positions.length, 1, half]);
    return [table(Math.cos), table(Math.sin)];
  }

  const turn = (x, cos, sin) => {
    const half = x.shape[3] / 2;
    const a = x.ref.slice([], [], [], [0, half]);
    const b = x.slice([], [], [], [half, 2 * half]);
    return np.concatenate([a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref)), b.mul(cos).add(a.mul(sin))], -1);
  };

  /** q, k, v [1, T, D] */
  const hear = (q, k, v, heads, [cos, sin]) => {
    const [, T, D] = q.shape;
    const heads4 = (y) => y.reshape([1, T, heads, D / heads]);
    return nn
      .dotProductAttention(turn(heads4(q), cos.ref, sin.ref), turn(heads4(k), cos, sin), heads4(v), {
        isCausal: true,
      })
      .reshape([1, T, D]);
  };

  const swiglu = (x, gate, up, down) => linear(nn.silu(linear(x.ref, gate)).mul(linear(x, up)), down);

  function layerParts({ width: D, heads, intermediateSize: F, tokens: T }) {
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
    const tables = angleTables(
      D / heads,
      Array.from({ length: T }, (_, t) => t),
    );
    const layer = ([x, wq, wk, wv, wo, gate, up, down, norm1, norm2], angles) => {
      const a = rms(x.ref, norm1);
      const heard = hear(linear(a.ref, wq), linear(a.ref, wk), linear(a, wv), heads, angles);
      const h = x.add(linear(heard, wo));
      return h.ref.add(swiglu(rms(h, norm2), gate, up, down));
    };
    return { layer, inputs: [noise([1, T, D]), ...weights, ...norms], tables };
  }

  function expertParts({ width: D, heads, intermediateSize: F, tokens: T, image, positions }) {
    const [from, to] = image;
    const attention = [
      [3 * D, D],
      [D, D],
    ];
    const mlp = [
      [F, D],
      [F, D],
      [D, F],
    ];
    const weights = [...attention, ...attention, ...mlp, ...mlp].map((shape, i) => weight(shape, 2 + i));
    const norms = [np.ones([D]), np.ones([D])];
    const tables = angleTables(D / heads, positions);
    /** Image tokens through one, the others through the other. */
    const routed = (x, ofImage, ofText) => {
      const part = (y, first, last) => y.slice([], [first, last], []);
      const text = np.concatenate([part(x.ref, 0, from), part(x.ref, to, T)], 1);
      const y = ofText(text);
      const rows = T - (to - from);
      const middle = ofImage(part(x, from, to));
      return np.concatenate([part(y.ref, 0, from), middle, part(y, from, rows)], 1);
    };
    const layer = ([x, qkvI, denseI, qkvT, denseT, ...rest], angles) => {
      const [gateT, upT, downT, gateI, upI, downI, norm1, norm2] = rest;
      const qkv = routed(
        rms(x.ref, norm1),
        (y) => linear(y, qkvI),
        (y) => linear(y, qkvT),
      );
      const third = (y, i) => y.slice([], [], [i * D, (i + 1) * D]);
      const heard = hear(third(qkv.ref, 0), third(qkv.ref, 1), third(qkv, 2), heads, angles);
      const h = x.add(
        routed(
          heard,
          (y) => linear(y, denseI),
          (y) => linear(y, denseT),
        ),
      );
      return h.ref.add(
        routed(
          rms(h, norm2),
          (y) => swiglu(y, gateI, upI, downI),
          (y) => swiglu(y, gateT, upT, downT),
        ),
      );
    };
    return { layer, inputs: [noise([1, T, D]), ...weights, ...norms], tables };
  }

  /** Gradients of the inputs; those of the first two are looked at. */
  function backward({ layer, inputs, tables }, seed) {
    const gradients = grad((leaves, angles, dy) => np.sum(layer(leaves, angles).mul(dy)));
    return compiled(gradients, [inputs, tables, seed], async ([dx, dw, ...rest]) => {
      tree.dispose(rest);
      return [...(await probed(dx)), ...(await probed(dw))];
    });
  }

  return {
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
    layerBackward: (sizes) => backward(layerParts(sizes), noise([1, sizes.tokens, sizes.width], 1, 1)),
    expert(sizes) {
      const { layer, inputs, tables } = expertParts(sizes);
      return compiled(layer, [inputs, tables], probed);
    },
    expertBackward: (sizes) => backward(expertParts(sizes), noise([1, sizes.tokens, sizes.width], 1, 1)),
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
  };
}
