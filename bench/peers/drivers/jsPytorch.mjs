/** js-pytorch: `js-pytorch.mjs THREADS`. Its tensors are nested arrays. */
import { torch } from 'js-pytorch';
import { noiseValues, probes } from '../../noise.ts';
import { answersOf } from '../answers.ts';
import { serve } from '../serve.ts';

const size = (shape) => shape.reduce((n, m) => n * m, 1);

function nested(values, shape, from = 0) {
  if (shape.length === 1) return Array.from(values.subarray(from, from + shape[0]));
  const step = size(shape.slice(1));
  return Array.from({ length: shape[0] }, (_, i) => nested(values, shape.slice(1), from + i * step));
}

const noise = (shape, scale = 1, stream = 0) =>
  torch.tensor(nested(noiseValues(size(shape), stream, scale), shape), false, 'cpu');

function probed({ data }) {
  const flat = data.flat(Infinity);
  return probes(flat.length).map((i) => flat[i]);
}

/** The first call is the one that is looked at: a second one can take half a minute. */
function forward(compute) {
  let result;
  return {
    call() {
      result = compute();
    },
    check: () => probed(result),
  };
}

await serve(
  answersOf({
    matmul({ m, k, n }) {
      const [a, b] = [noise([m, k]), noise([k, n], 1, 1)];
      return forward(() => torch.matmul(a, b));
    },
    linear({ k, n }) {
      const [x, w] = [noise([1, k]), noise([n, k], 1, 1)];
      const turned = torch.transpose(w, 0, 1);
      return forward(() => torch.matmul(x, turned));
    },
    softmax({ shape }) {
      const x = noise(shape, 4);
      const softmax = new torch.nn.Softmax();
      return forward(() => softmax.forward(x, -1));
    },
    layerNorm({ shape }) {
      const norm = new torch.nn.LayerNorm(shape.at(-1));
      norm.gamma = noise(shape.slice(-1), 1, 1);
      norm.beta = noise(shape.slice(-1), 1, 2);
      const x = noise(shape);
      return forward(() => norm.forward(x));
    },
    swiglu({ shape }) {
      const [a, b] = [noise(shape, 4), noise(shape, 1, 1)];
      return forward(() => torch.mul(torch.div(a, torch.add(torch.exp(torch.neg(a)), 1)), b));
    },
    attention({ heads, tokens, headDim }) {
      const [q, k, v] = [0, 1, 2].map((stream) => noise([1, heads, tokens, headDim], 1, stream));
      const rows = Array.from({ length: tokens }, (_, i) =>
        Array.from({ length: tokens }, (_, j) => (j > i ? 0 : 1)),
      );
      const mask = torch.tensor([Array.from({ length: heads }, () => rows)], false, 'cpu');
      const softmax = new torch.nn.Softmax();
      return forward(() => {
        const scores = torch.div(torch.matmul(q, torch.transpose(k, -2, -1)), Math.sqrt(headDim));
        return torch.matmul(
          softmax.forward(
            torch.masked_fill(scores, mask, (m) => m === 0, -1e30),
            -1,
          ),
          v,
        );
      });
    },
    /** Its own block: ReLU in place of GELU, scores divided otherwise, biases; the products are of the same sizes. */
    gpt({ layers, width: D, heads, tokens: T, batch: B, vocabulary: V }) {
      class Gpt extends torch.nn.Module {
        tokens = new torch.nn.Embedding(V, D);
        positions = new torch.nn.PositionalEmbedding(T, D);
        blocks = Array.from({ length: layers }, () => new torch.nn.Block(D, D, heads, T, 0, 'cpu'));
        norm = new torch.nn.LayerNorm(D);
        head = new torch.nn.Linear(D, V, 'cpu', false);
        forward(ids) {
          let x = torch.add(this.tokens.forward(ids), this.positions.forward(ids));
          for (const block of this.blocks) x = block.forward(x);
          return this.head.forward(this.norm.forward(x));
        }
      }
      const model = new Gpt();
      const optimizer = new torch.optim.Adam(model.parameters(), 1e-3, 0);
      const crossEntropy = new torch.nn.CrossEntropyLoss();
      const text = (shift) =>
        torch.tensor(
          Array.from({ length: B }, (_, b) =>
            Array.from({ length: T }, (_, i) => (37 * b + 11 * (i + shift) + (i + shift) ** 2) % V),
          ),
        );
      const [ids, labels] = [text(0), text(1)];
      return {
        call() {
          const loss = crossEntropy.forward(model.forward(ids), labels);
          loss.backward();
          optimizer.step();
          optimizer.zero_grad();
        },
      };
    },
  }),
);
