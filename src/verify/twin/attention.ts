/**
 * Attention: composed of the matmul and softmax that make no error, and the fast backend's own kernel beside the
 * host's. It must round, and scores lose digits with their size: with scores s off by δ, probabilities are off by
 * 2δ of themselves, so a row of the result may be off by (1 + 2·|s|) times what a number of its size is.
 */
import { asNdarray, type Backend, composedAttention, forEachRow, type View } from '../../kernels/index.ts';
import { largest, rowSizes, runBeside } from './beside.ts';
import { isFloat32, type Workbench } from './workbench.ts';

/** Euclidean length of each row of the last axis. */
function rowLengths(x: View): Float64Array {
  const [B, H, T, K] = x.shape;
  const lengths = new Float64Array(B * H * T);
  const X = asNdarray(x);
  const step = x.strides[3];
  forEachRow([X], ([at], r) => {
    let squares = 0;
    for (let j = 0; j < K; j++) squares += X.data[at + j * step] ** 2;
    lengths[r] = Math.sqrt(squares);
  });
  return lengths;
}

const max = (a: number, b: number): number => Math.max(a, b);
const sum = (a: number, b: number): number => a + b;

/** One number for every `run` of them that follow each other. */
function ofRuns(values: Float64Array, run: number, join: (a: number, b: number) => number): Float64Array {
  const joined = new Float64Array(values.length / run);
  for (const [i, value] of values.entries()) {
    const at = Math.floor(i / run);
    joined[at] = join(joined[at], value);
  }
  return joined;
}

/** Queries that share a key head follow each other. */
function queriesPerKeyHead(q: View, k: View): number {
  return (q.shape[1] / k.shape[1]) * q.shape[2];
}

/** 1 + 2·|s| for each query, with the largest score that its length and that of its head's longest key allow. */
function lossOfScores(q: View, k: View): Float64Array {
  const longest = ofRuns(rowLengths(k), k.shape[2], max);
  const queries = queriesPerKeyHead(q, k);
  const scale = 1 / Math.sqrt(q.shape[3]);
  return rowLengths(q).map((length, r) => 1 + 2 * length * longest[Math.floor(r / queries)] * scale);
}

export function attentionKernels(
  bench: Workbench,
  parts: Parameters<typeof composedAttention>[0],
): Pick<Backend, 'attention' | 'attentionBackward'> {
  const { host } = bench;
  const composed = composedAttention(parts);
  const given = (visible: View | null): View[] => (visible === null ? [] : [visible]);

  return {
    attention(q, k, v, visible, options) {
      if (!isFloat32(q)) return host.attention(q, k, v, visible, options);
      const wide = composed.attention(q, k, v, visible, options);
      const [loss, vSize] = [lossOfScores(q, k), largest(v)];
      runBeside(
        bench,
        [q, k, v, ...given(visible)],
        (backend, [q, k, v, visible]) => [backend.attention(q, k, v, visible ?? null, options).y],
        () => [(r) => loss[r] * vSize],
        [wide.y],
      );
      return wide;
    },

    attentionBackward(q, k, v, visible, options, saved, dy) {
      if (!isFloat32(q)) return host.attentionBackward(q, k, v, visible, options, saved, dy);
      const { dq, dk, dv } = composed.attentionBackward(q, k, v, visible, options, saved, dy);
      const loss = lossOfScores(q, k);
      const [dySize, dyLength] = [rowSizes(dy), rowLengths(dy)];
      const [S, queries] = [k.shape[2], queriesPerKeyHead(q, k)];
      const longest = ofRuns(rowLengths(v), S, max);
      const scale = 1 / Math.sqrt(q.shape[3]);
      // A query's dS is at most |dy|·|v|; the gradients of keys and values add up over the queries of their head.
      const slope = loss.map((factor, r) => factor * dyLength[r] * longest[Math.floor(r / queries)] * scale);
      const slopes = ofRuns(slope, queries, sum);
      const valueSlopes = ofRuns(
        loss.map((factor, r) => factor * dySize[r]),
        queries,
        sum,
      );
      const [qSize, kSize] = [largest(q), largest(k)];
      runBeside(
        bench,
        [q, k, v, dy, ...given(visible)],
        (backend, [q, k, v, dy, visible]) => {
          const seen = visible ?? null;
          const { saved } = backend.attention(q, k, v, seen, options);
          const { dq, dk, dv } = backend.attentionBackward(q, k, v, seen, options, saved, dy);
          return [dq, dk, dv];
        },
        () => [
          (r) => slope[r] * kSize,
          (r) => slopes[Math.floor(r / S)] * qSize,
          (r) => valueSlopes[Math.floor(r / S)],
        ],
        [dq, dk, dv],
      );
      return { dq, dk, dv };
    },
  };
}
