/** One decoder layer with visual experts, half of its tokens a picture's: the plain layer and what routing adds. */

import { noGrad, parseConfig, scope, type Tensor } from '../../src/index.ts';
import {
  DecoderLayer,
  ExpertRouting,
  type LayerContext,
  positionIds,
  visionExpertMask,
} from '../../src/models/cogvlm/index.ts';
import { type BenchCase, disposeModule, drawWeights, noise, type Work } from '../case.ts';
import { type DecoderSizes, layerFlops } from './decoder.ts';

const title = ({ width, heads, intermediateSize, tokens }: DecoderSizes) =>
  `expert layer D ${width} H ${heads} F ${intermediateSize} T ${tokens}`;

export function expertForward(sizes: DecoderSizes): BenchCase {
  return {
    name: `${title(sizes)} forward`,
    work: { unit: 'FLOP', amount: layerFlops(sizes) },
    prepare() {
      const { layer, context, x } = expertParts(sizes);
      return {
        call: () => scope(() => void noGrad(() => layer.call(x, context))),
        dispose: () => disposeModule(layer),
      };
    },
  };
}

/** Gradients of all weights and of the input: each product of the forward pass has two in the backward pass. */
export function expertBackward(sizes: DecoderSizes): BenchCase {
  const work: Work = { unit: 'FLOP', amount: 3 * layerFlops(sizes) };
  return {
    name: `${title(sizes)} forward + backward`,
    work,
    prepare() {
      const { layer, context, x } = expertParts(sizes);
      const seed = noise(x.shape, 1, 1);
      x.requiresGrad = true;
      return {
        call: () =>
          scope(() => {
            layer.call(x, context).backward(seed);
            layer.zeroGrad();
            x.zeroGrad();
          }),
        dispose: () => disposeModule(layer),
      };
    },
  };
}

/** Which tokens are the picture's: half of them, from the second on. */
const tokenTypes = (tokens: number): number[] =>
  Array.from({ length: tokens }, (_, t) => (t >= 1 && t <= tokens >> 1 ? 1 : 0));

export interface ExpertTokens {
  /** The tokens of the vision expert: from the first to before the last. */
  readonly image: readonly [from: number, to: number];
  /** Position of each token. */
  readonly positions: readonly number[];
}

/** What any program of a comparison has to know of the tokens. */
export function expertTokens(tokens: number): ExpertTokens {
  const types = tokenTypes(tokens);
  const mask = visionExpertMask(types);
  return { image: [mask.indexOf(true), mask.lastIndexOf(true) + 1], positions: positionIds(types) };
}

export function expertParts(sizes: DecoderSizes): { layer: DecoderLayer; context: LayerContext; x: Tensor } {
  const config = parseConfig({
    vocab_size: 1,
    hidden_size: sizes.width,
    intermediate_size: sizes.intermediateSize,
    num_hidden_layers: 1,
    num_attention_heads: sizes.heads,
    vision_config: {
      image_size: 1,
      patch_size: 1,
      hidden_size: 1,
      intermediate_size: 1,
      num_hidden_layers: 1,
      num_heads: 1,
    },
  });
  const types = tokenTypes(sizes.tokens);
  return {
    layer: drawWeights(new DecoderLayer(config, {})),
    context: {
      routing: new ExpertRouting([visionExpertMask(types)]),
      positions: [positionIds(types)],
      visible: undefined,
    },
    x: noise([1, sizes.tokens, sizes.width]),
  };
}
