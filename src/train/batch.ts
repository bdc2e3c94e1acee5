/**
 * Training examples and batches of them.
 *
 *   [bos] [boi image tokens eoi] prompt answer eos | padding
 *   labels −100 up to the prompt's end, then the answer and eos; the picture, bos and padding are never a target
 *
 * Padding is on the right: under the causal mask no real token sees it.
 */
import { type CogVLM, type ModelInput, promptRow } from '../models/cogvlm/index.ts';
import { IGNORE_INDEX } from '../nn/index.ts';
import { Tensor } from '../tensor/index.ts';

/** A question about a picture, or about nothing, and its answer. */
export interface Example {
  /** Token ids; empty for a caption. */
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  /** Normalised pixel values [C·g·p·g·p], channels first; absent in text-only training. */
  readonly pixels?: Float32Array | undefined;
}

/** Examples side by side, as the model takes them. */
export interface Batch {
  readonly input: ModelInput;
  /** [B, T] */
  readonly labels: readonly (readonly number[])[];
}

/** Places and labels of the examples, right-padded; `hasImage` leaves the places of a picture in each row. */
export function layOut(
  { config }: CogVLM,
  examples: readonly Example[],
  hasImage: boolean,
): { readonly ids: number[][]; readonly types: number[][]; readonly labels: number[][] } {
  const rows = examples.map(({ prompt, answer }) => {
    const target = [...answer, config.eosTokenId[0]];
    const { ids, types } = promptRow(config, [...prompt, ...target], hasImage);
    const labels = ids.map((id, t) => (t >= ids.length - target.length ? id : IGNORE_INDEX));
    return { ids, types, labels };
  });
  const length = Math.max(...rows.map(({ ids }) => ids.length));
  const padded = (row: readonly number[], value: number) => [
    ...row,
    ...new Array<number>(length - row.length).fill(value),
  ];
  return {
    ids: rows.map(({ ids }) => padded(ids, config.padTokenId)),
    types: rows.map(({ types }) => padded(types, 0)),
    labels: rows.map(({ labels }) => padded(labels, IGNORE_INDEX)),
  };
}

/**
 * The pictures of a batch [n, C, g·p, g·p]; undefined where it has none.
 * @throws Error where some examples have a picture and some none, or a picture is not of the model's size
 */
export function picturesOf({ config }: CogVLM, examples: readonly Example[]): Tensor | undefined {
  const { inChannels: C, imageSize } = config.vision;
  const pictures = examples.flatMap(({ pixels }) => pixels ?? []);
  if (pictures.length === 0) return undefined;
  if (pictures.length < examples.length) {
    throw new Error(
      `collate: ${pictures.length} of ${examples.length} examples have a picture; mix them in different batches`,
    );
  }
  return stackPixels(pictures, [C, imageSize, imageSize]);
}

/**
 * Examples side by side, padded to the longest.
 * @throws Error where the pictures do not fit together, as `picturesOf`
 */
export function collate(model: CogVLM, examples: readonly Example[]): Batch {
  const pixels = picturesOf(model, examples);
  const { labels, ...places } = layOut(model, examples, pixels !== undefined);
  return { input: { ...places, pixels }, labels };
}

/** Mean cross entropy of the answers to a batch of examples. */
export function answerLoss(model: CogVLM, examples: readonly Example[]): Tensor {
  const { input, labels } = collate(model, examples);
  return model.loss(model.call(input), labels);
}

/**
 * Pictures of one size as a tensor.
 * @shape pictures n times [C·g·p·g·p] → [n, C, g·p, g·p]
 * @throws Error where a picture has another number of values
 */
export function stackPixels(pictures: readonly Float32Array[], shape: readonly number[]): Tensor {
  const size = shape.reduce((n, m) => n * m, 1);
  const stacked = new Float32Array(pictures.length * size);
  for (const [i, pixels] of pictures.entries()) {
    if (pixels.length !== size) {
      throw new Error(`stackPixels: picture ${i} has ${pixels.length} values, the model takes [${shape}]`);
    }
    stacked.set(pixels, i * size);
  }
  return Tensor.fromArray(stacked, [pictures.length, ...shape]);
}
