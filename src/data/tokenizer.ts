/**
 * Text to token ids and back, by a Hugging Face `tokenizer.json`.
 *
 * CogVLM uses vicuna-7b-v1.5's (LLaMA's) tokenizer: 0 unk and pad, 1 bos, 2 eos, 3–258 the bytes; every text that is
 * encoded separately gets a blank in front. CogVLM2 uses Llama 3's. Special tokens are never added here: bos and the
 * places of a picture are the model's affair.
 */
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';

/** A tokenizer.json that cannot be used, or ids that are none. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}

type JsonObject = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const PARTS = ['added_tokens', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder'] as const;

export class Tokenizer {
  /** The parsed tokenizer.json and tokenizer_config.json it was made from. */
  readonly json: JsonObject;
  readonly config: JsonObject;
  readonly #inner: HuggingFaceTokenizer;

  /**
   * @param json the parsed tokenizer.json
   * @param config the parsed tokenizer_config.json, where there is one
   * @throws TokenizerError where a part is missing or of a kind that is not known
   */
  constructor(json: unknown, config: unknown = {}) {
    if (!isObject(json) || !isObject(json.model)) {
      throw new TokenizerError('tokenizer.json: expected an object with the field "model"');
    }
    if (!isObject(config)) throw new TokenizerError('tokenizer_config.json: expected an object');
    this.json = json;
    this.config = config;
    const whole: Record<string, unknown> = { ...json };
    for (const part of PARTS) whole[part] ??= part === 'added_tokens' ? [] : null;
    try {
      this.#inner = new HuggingFaceTokenizer(whole, config);
    } catch (cause) {
      throw new TokenizerError(`tokenizer.json: ${(cause as Error).message}`, { cause });
    }
  }

  /** Ids of a text, without bos or eos. The empty text has none. */
  encode(text: string): number[] {
    // A tokenizer that puts a blank in front would make a token of that blank alone.
    if (text === '') return [];
    const ids: number[] = this.#inner.encode(text, { add_special_tokens: false }).ids;
    const unknown = ids.findIndex((id) => !isTokenId(id));
    if (unknown >= 0) {
      throw new TokenizerError(
        `encode: tokenizer.json has neither a token for a part of ${JSON.stringify(text)} nor an unk_token`,
      );
    }
    return ids;
  }

  /**
   * Text of ids; special tokens and ids without a token (rows that pad a vocabulary) are skipped. Blanks before
   * punctuation marks stay, whatever tokenizer_config.json says: it is the text that the model wrote.
   * @throws TokenizerError where an id is not a whole number from 0 on
   */
  decode(ids: readonly number[]): string {
    const bad = ids.findIndex((id) => !isTokenId(id));
    if (bad >= 0) {
      throw new TokenizerError(`decode: ids[${bad}] is ${ids[bad]}, expected a whole number from 0 on`);
    }
    const known = ids.filter((id) => this.#inner.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    return this.#inner.decode(known, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  }

  /** A decoder for ids that come one by one. */
  stream(): TokenStream {
    return new TokenStream(this);
  }
}

function isTokenId(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 0;
}

/** What decoding makes of bytes that are no UTF-8, or not yet. */
const REPLACEMENT = '\uFFFD';

/**
 * Decodes ids as they come and hands out text only when it is complete: a character may be spread over several tokens.
 * The pieces together are the decoded whole.
 *
 * A token's text depends on the one before it (a leading blank is dropped at the start only), so each piece is the
 * difference between decoding the ids kept with the new ones and without.
 */
export class TokenStream {
  readonly #tokenizer: Tokenizer;
  #ids: number[] = [];
  /** The ids before this index are handed out. */
  #done = 0;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** The text that `id` completes; '' where it completes none. */
  push(id: number): string {
    this.#ids.push(id);
    const piece = this.#pending();
    return piece.endsWith(REPLACEMENT) ? '' : this.#handOut(piece);
  }

  /** What is left when no more ids come: incomplete characters as U+FFFD. */
  end(): string {
    return this.#handOut(this.#pending());
  }

  #pending(): string {
    const before = this.#tokenizer.decode(this.#ids.slice(0, this.#done));
    return this.#tokenizer.decode(this.#ids).slice(before.length);
  }

  /** Forgets the ids before the piece; where it is empty they are still needed, to tell the start of the text. */
  #handOut(piece: string): string {
    if (piece !== '') {
      this.#ids = this.#ids.slice(this.#done);
      this.#done = this.#ids.length;
    }
    return piece;
  }
}
