/**
 * A model with its tokenizer: pictures and text in, text out, piece by piece.
 *
 *   for await (const piece of cogvlm.caption(png)) process.stdout.write(piece);
 *   const { text } = await collectAnswer(cogvlm.ask(png, 'what color is it?'));
 */
import {
  decodeImage,
  formatPrompt,
  type PromptTemplate,
  pixelValues,
  type RgbImage,
  type Tokenizer,
  type Turn,
} from '../../data/index.ts';
import { Tensor } from '../../tensor/index.ts';
import type { CogVLM } from './cogvlm.ts';
import type { CogVLMConfig } from './config.ts';
import { generate } from './generate.ts';
import { promptBatch, promptRow } from './promptInput.ts';

/** Tokens after which an answer is cut, unless told. */
export const DEFAULT_MAX_NEW_TOKENS = 256;

/** What a model that was trained on questions is asked for a caption. */
const CAPTION_QUESTION = 'Describe this image.';

/** A picture: decoded, or the bytes of a PNG or JPEG file. */
export type Picture = RgbImage | Uint8Array;

/** Where an answer ends. */
export interface AnswerOptions {
  /** Default 256. */
  readonly maxNewTokens?: number;
}

/** Where a caption ends, and what is asked for. */
export interface CaptionOptions extends AnswerOptions {
  /** What to ask for; default nothing for a base model, a request for a description for the others. */
  readonly prompt?: string;
}

/** Where an answer ends, and the words around the question. */
export interface AskOptions extends AnswerOptions {
  /** Default the model's own; `vqa` for a base model. */
  readonly template?: PromptTemplate;
  /** Earlier questions about the same picture and their answers. */
  readonly history?: readonly Turn[];
}

/** How an answer ended. */
export interface AnswerEnd {
  /** All tokens, the stop token included. */
  readonly tokens: readonly number[];
  /** The model stopped, or `maxNewTokens` were out. */
  readonly finished: 'stop' | 'length';
}

/** Pieces of text as they are complete; returns how it ended. */
export type AnswerStream = AsyncGenerator<string, AnswerEnd, undefined>;

/** A model with its tokenizer: pictures and text in, text out. */
export class PretrainedCogVLM {
  readonly model: CogVLM;
  readonly tokenizer: Tokenizer;

  constructor(model: CogVLM, tokenizer: Tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
  }

  get config(): CogVLMConfig {
    return this.model.config;
  }

  /** Describes a picture. */
  caption(picture: Picture, { prompt, ...options }: CaptionOptions = {}): AnswerStream {
    const template = this.config.templateVersion;
    const query = prompt ?? (template === 'base' ? '' : CAPTION_QUESTION);
    return this.complete(picture, formatPrompt(template, query), options);
  }

  /** Answers a question about a picture, or without one. */
  ask(
    picture: Picture | null,
    question: string,
    { template, history, ...options }: AskOptions = {},
  ): AnswerStream {
    return this.complete(picture, formatPrompt(template ?? this.askTemplate, question, history), options);
  }

  /** The template of questions where none is asked for: base models were not trained on bare questions. */
  get askTemplate(): PromptTemplate {
    const { templateVersion } = this.config;
    return templateVersion === 'base' ? 'vqa' : templateVersion;
  }

  /**
   * Greedily goes on from a picture and a prompt that is used as it is. Blanks before the first word are dropped.
   * @throws ImageError, TokenizerError; RangeError where the tokenizer's ids are not the model's or maxNewTokens is no count
   */
  async *complete(
    picture: Picture | null,
    prompt: string,
    { maxNewTokens = DEFAULT_MAX_NEW_TOKENS }: AnswerOptions = {},
  ): AnswerStream {
    if (!Number.isSafeInteger(maxNewTokens) || maxNewTokens < 1) {
      throw new RangeError(`complete: maxNewTokens is ${maxNewTokens}, expected a whole number from 1 on`);
    }
    const row = promptRow(this.config, this.tokenizer.encode(prompt), picture !== null);
    const pixels = picture === null ? undefined : this.#pixels(picture);
    const text = this.tokenizer.stream();
    const tokens: number[] = [];
    let begun = false;
    const shown = (piece: string): string => {
      const visible = begun ? piece : piece.trimStart();
      begun ||= visible !== '';
      return visible;
    };
    try {
      const input = { ...promptBatch(this.config, [row]), pixels };
      for await (const step of generate(this.model, input, { maxNewTokens })) {
        tokens.push(step.tokens[0]);
        const piece = shown(text.push(step.tokens[0]));
        if (piece !== '') yield piece;
      }
    } finally {
      pixels?.dispose();
    }
    const rest = shown(text.end());
    if (rest !== '') yield rest;
    const stopped = this.config.eosTokenId.includes(tokens[tokens.length - 1]);
    return { tokens, finished: stopped ? 'stop' : 'length' };
  }

  /** @shape → [1, 3, g·p, g·p] in the model's dtype */
  #pixels(picture: Picture): Tensor {
    const { imageSize } = this.config.vision;
    const image = picture instanceof Uint8Array ? decodeImage(picture) : picture;
    const { dtype } = this.model.lm_head.weight;
    return Tensor.fromArray(pixelValues(image, imageSize), [1, 3, imageSize, imageSize], { dtype }).keep();
  }
}

/** Reads an answer to its end. `onPiece` is told of each piece as it comes. */
export async function collectAnswer(
  stream: AnswerStream,
  onPiece: (piece: string) => void = () => {},
): Promise<AnswerEnd & { readonly text: string }> {
  let text = '';
  for (;;) {
    const next = await stream.next();
    if (next.done) return { ...next.value, text };
    text += next.value;
    onPiece(next.value);
  }
}
