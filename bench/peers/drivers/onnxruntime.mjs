/** onnxruntime-web: `onnxruntime.mjs THREADS`. Graphs are written by onnx.ts. */
import * as ort from 'onnxruntime-web';
import { noiseValues, probes, weightScale } from '../../noise.ts';
import { answersOf } from '../answers.ts';
import { OnnxGraph } from '../onnx.ts';
import { serve } from '../serve.ts';

ort.env.wasm.numThreads = Number(process.argv[2]);
ort.env.logLevel = 'error';

const size = (shape) => shape.reduce((n, m) => n * m, 1);

async function session(graph) {
  return ort.InferenceSession.create(graph.encode(), {
    executionProviders: ['wasm'],
    graphOptimizationLevel: 'all',
  });
}

const feedsOf = (inputs) =>
  Object.fromEntries(inputs.map(([name, data, shape]) => [name, new ort.Tensor('float32', data, shape)]));

/** A model whose only result is probed. */
async function ready(graph, inputs) {
  const model = await session(graph);
  const feeds = feedsOf(inputs);
  const run = async () => Object.values(await model.run(feeds))[0];
  return {
    call: run,
    async check() {
      const { data } = await run();
      return probes(data.length).map((i) => data[i]);
    },
  };
}

/**
 * The op inside of a graph: its inputs and outputs are not copied in and out there, as they are in a run of one op. `build`
 * is told whether it is for the chain, where factors must not shrink the numbers until they are too small for full speed.
 */
async function chained(K, shape, scale, build) {
  const chain = async (times) => {
    const graph = new OnnxGraph();
    let x = graph.input('x', shape);
    const step = build(graph, times > 1);
    for (let i = 0; i < times; i++) x = step(x);
    graph.output(x);
    return graph;
  };
  const inputs = [['x', noiseValues(size(shape), 0, scale), shape]];
  const once = await ready(await chain(1), inputs);
  const many = await ready(await chain(K), inputs);
  const time = async ({ call }) => {
    const start = performance.now();
    await call();
    return performance.now() - start;
  };
  return {
    ...once,
    async sample() {
      const short = await time(once);
      return ((await time(many)) - short) / (K - 1);
    },
  };
}

const signs = (length, scale) => noiseValues(length, 1).map((x) => (x < 0 ? -scale : scale));

/** Of a weight [out, in] as a constant [in, out]. */
function transposed([out, fanIn], stream, scale) {
  const values = noiseValues(out * fanIn, stream, scale);
  const turned = new Float32Array(values.length);
  for (let o = 0; o < out; o++) for (let i = 0; i < fanIn; i++) turned[i * out + o] = values[o * fanIn + i];
  return turned;
}

function causalMask(T) {
  return Float32Array.from({ length: T * T }, (_, i) => (i % T > Math.floor(i / T) ? -1e30 : 0));
}

/** softmax(q·kᵀ/√K + mask)·v of [H, T, K], or with a leading axis */
function attend(graph, q, k, v, { headDim, tokens, rank }) {
  const perm = rank === 4 ? [0, 1, 3, 2] : [0, 2, 1];
  const scale = graph.constant(Float32Array.of(1 / Math.sqrt(headDim)), [1]);
  const mask = graph.constant(causalMask(tokens), [tokens, tokens]);
  const keys = graph.node('Transpose', [k], { perm: { ints: perm } });
  const scores = graph.node('Mul', [graph.node('MatMul', [q, keys]), scale]);
  const p = graph.node('Softmax', [graph.node('Add', [scores, mask])], { axis: -1 });
  return graph.node('MatMul', [p, v]);
}

await serve(
  answersOf({
    matmul({ m, k, n }) {
      const graph = new OnnxGraph();
      const a = graph.input('a', [m, k]);
      graph.output(graph.node('MatMul', [a, graph.constant(noiseValues(k * n, 1), [k, n])]));
      return ready(graph, [['a', noiseValues(m * k), [m, k]]]);
    },
    linear({ k, n }) {
      const graph = new OnnxGraph();
      const x = graph.input('x', [1, k]);
      const w = graph.constant(noiseValues(n * k, 1), [n, k]);
      graph.output(graph.node('Gemm', [x, w], { transB: 1 }));
      return ready(graph, [['x', noiseValues(k), [1, k]]]);
    },
    softmax: ({ shape }) => chained(11, shape, 4, (graph) => (x) => graph.node('Softmax', [x], { axis: -1 })),
    layerNorm({ shape }) {
      const width = shape.at(-1);
      return chained(41, shape, 1, (graph) => {
        const w = graph.constant(noiseValues(width, 1), [width]);
        const b = graph.constant(noiseValues(width, 2), [width]);
        return (x) => graph.node('LayerNormalization', [x, w, b], { axis: -1, epsilon: { float: 1e-6 } });
      });
    },
    rmsNorm({ shape }) {
      const width = shape.at(-1);
      return chained(41, shape, 1, (graph, long) => {
        const w = graph.constant(long ? signs(width, 1) : noiseValues(width, 1), [width]);
        return (x) =>
          graph.node('SimplifiedLayerNormalization', [x, w], { axis: -1, epsilon: { float: 1e-5 } });
      });
    },
    gelu: ({ shape }) => chained(11, shape, 4, (graph) => (x) => graph.node('Gelu', [x])),
    swiglu({ shape }) {
      return chained(21, shape, 4, (graph, long) => {
        const b = graph.constant(long ? signs(size(shape), 2) : noiseValues(size(shape), 1), shape);
        return (x) => graph.node('Mul', [graph.node('Mul', [x, graph.node('Sigmoid', [x])]), b]);
      });
    },
    attention({ heads, tokens, headDim }) {
      const shape = [1, heads, tokens, headDim];
      const graph = new OnnxGraph();
      const [q, k, v] = ['q', 'k', 'v'].map((name) => graph.input(name, shape));
      graph.output(attend(graph, q, k, v, { headDim, tokens, rank: 4 }));
      return ready(
        graph,
        ['q', 'k', 'v'].map((name, stream) => [name, noiseValues(size(shape), stream), shape]),
      );
    },
    layer({ width: D, heads, intermediateSize: F, tokens: T }) {
      const graph = new OnnxGraph();
      const x = graph.input('x', [T, D]);
      const K = D / heads;
      let stream = 2;
      const linear = (y, out, fanIn) => {
        const w = transposed([out, fanIn], stream++, weightScale(fanIn));
        return graph.node('MatMul', [y, graph.constant(w, [fanIn, out])]);
      };
      const ones = graph.constant(new Float32Array(D).fill(1), [D]);
      const norm = (y) =>
        graph.node('SimplifiedLayerNormalization', [y, ones], { axis: -1, epsilon: { float: 1e-5 } });
      const split = graph.integers([T, heads, K]);
      const toHeads = (y) =>
        graph.node('Transpose', [graph.node('Reshape', [y, split])], { perm: { ints: [1, 0, 2] } });
      const angle = (i) => Math.floor(i / K) * 10000 ** (-(2 * (i % (K / 2))) / K);
      const table = (f) =>
        graph.constant(
          Float32Array.from({ length: T * K }, (_, i) => f(angle(i))),
          [T, K],
        );
      const [cos, sin] = [table(Math.cos), table(Math.sin)];
      const turn = (y) => {
        const [a, b] = graph.nodes(2, 'Split', [y], { axis: -1, num_outputs: 2 });
        const quarter = graph.node('Concat', [graph.node('Neg', [b]), a], { axis: -1 });
        return graph.node('Add', [graph.node('Mul', [y, cos]), graph.node('Mul', [quarter, sin])]);
      };
      const a = norm(x);
      const [q, k, v] = [0, 1, 2].map(() => toHeads(linear(a, D, D)));
      const heard = attend(graph, turn(q), turn(k), v, { headDim: K, tokens: T, rank: 3 });
      const merged = graph.node('Reshape', [
        graph.node('Transpose', [heard], { perm: { ints: [1, 0, 2] } }),
        graph.integers([T, D]),
      ]);
      const h = graph.node('Add', [x, linear(merged, D, D)]);
      const b = norm(h);
      const gate = linear(b, F, D);
      const up = linear(b, F, D);
      const gated = graph.node('Mul', [graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]), up]);
      graph.output(graph.node('Add', [h, linear(gated, D, F)]));
      return ready(graph, [['x', noiseValues(T * D), [T, D]]]);
    },
  }),
);
