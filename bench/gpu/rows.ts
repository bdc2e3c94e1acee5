/** What is timed on a GPU; small sizes for one of software. */
import type { Work } from '../case.ts';
import { type DecoderSizes, layerFlops } from '../models/decoder.ts';
import { expertTokens } from '../models/expertLayer.ts';
import { type GptSizes, stepFlops, TINY_GPT } from '../models/gpt.ts';
import { over, product, type RowCase, TOLERANCE } from '../peers/rows.ts';

/** GPUs' exponentials and divisions are a few units less exact than a processor's. */
const GPU_TOLERANCE = 2 * TOLERANCE;

const flops = (amount: number): Work => ({ unit: 'FLOP', amount });

function expertRows(sizes: DecoderSizes): RowCase[] {
  const { width, heads, intermediateSize, tokens } = sizes;
  const title = `expert layer D ${width} H ${heads} F ${intermediateSize} T ${tokens}`;
  const spec = { ...sizes, ...expertTokens(tokens) };
  return [
    {
      name: `${title} forward`,
      work: flops(layerFlops(sizes)),
      spec: { kind: 'expert', ...spec },
      tolerance: GPU_TOLERANCE,
    },
    {
      name: `${title} forward + backward`,
      work: flops(3 * layerFlops(sizes)),
      spec: { kind: 'expertBackward', ...spec },
      tolerance: 5 * GPU_TOLERANCE,
    },
  ];
}

function gptRow(sizes: GptSizes): RowCase {
  const { layers, width, tokens, batch } = sizes;
  return {
    name: `GPT D ${width} × ${layers} training step, ${batch} texts of ${tokens}`,
    work: flops(stepFlops(sizes)),
    spec: { kind: 'gpt', ...sizes },
    tolerance: 1e-3, // of losses, the second after one step
  };
}

const square = (n: number): RowCase => ({ ...product(n, n, n), tolerance: GPU_TOLERANCE });
const softmax = (shape: readonly number[]): RowCase => ({
  ...over('softmax', 'softmax', shape),
  tolerance: GPU_TOLERANCE,
});

/** Short rows first, so that a run that ends early has shown most. */
export function gpuRows(software: boolean): readonly RowCase[] {
  if (software) {
    return [
      ...[32, 64].map(square),
      softmax([2, 64, 64]),
      ...expertRows({ width: 64, heads: 4, intermediateSize: 96, tokens: 16 }),
      gptRow({
        ...TINY_GPT,
        layers: 1,
        width: 32,
        intermediateSize: 64,
        tokens: 16,
        batch: 2,
        vocabulary: 32,
      }),
    ];
  }
  return [
    ...[256, 512, 1024].map(square),
    softmax([16, 1226, 1226]),
    ...expertRows({ width: 1024, heads: 16, intermediateSize: 2816, tokens: 256 }),
    gptRow(TINY_GPT),
    ...[2048, 4096].map(square),
    ...expertRows({ width: 2048, heads: 16, intermediateSize: 5504, tokens: 512 }),
  ];
}
