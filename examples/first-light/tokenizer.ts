/**
 * Writes the tokenizer of the small model in Hugging Face's `tokenizer.json` format, laid out like LLaMA's: 0 unk, 1 bos,
 * 2 eos, 3–258 the bytes, then the learned pieces; a "▁" is put in front of every separately encoded text, and characters
 * without a piece fall back to their UTF-8 bytes.
 */
import { type BpeModel, trainBpe, WORD_START } from './bpe.ts';

const SPECIAL_TOKENS = ['<unk>', '<s>', '</s>'] as const;
const BYTES = 256;
const FIRST_PIECE = SPECIAL_TOKENS.length + BYTES;

/** The two files that a Hugging Face tokenizer consists of. */
export interface TokenizerFiles {
  readonly tokenizer: TokenizerJson;
  readonly config: TokenizerConfigJson;
  readonly vocabSize: number;
}

/** `tokenizer.json`, as far as this tokenizer uses it. */
export interface TokenizerJson {
  readonly version: '1.0';
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly Readonly<Record<string, string | number | boolean>>[];
  readonly normalizer: object;
  readonly pre_tokenizer: null;
  readonly post_processor: null;
  readonly decoder: object;
  readonly model: {
    readonly type: 'BPE';
    readonly dropout: null;
    readonly unk_token: string;
    readonly continuing_subword_prefix: null;
    readonly end_of_word_suffix: null;
    readonly fuse_unk: boolean;
    readonly byte_fallback: boolean;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly string[];
  };
}

/** `tokenizer_config.json`, as far as this tokenizer uses it. */
export type TokenizerConfigJson = Readonly<Record<string, string | number | boolean>>;

/**
 * Trains on `texts` and writes a tokenizer of at most `vocabSize` ids (fewer where the texts have no more pairs to merge).
 *
 * @throws RangeError where `vocabSize` has no room for the specials, the bytes and the characters of the texts.
 */
export function makeTokenizer(texts: readonly string[], vocabSize: number): TokenizerFiles {
  return tokenizerFiles(trainBpe(texts, vocabSize - FIRST_PIECE));
}

/** Lays a trained model out as Hugging Face's files. */
export function tokenizerFiles({ characters, merges }: BpeModel): TokenizerFiles {
  const vocab: Record<string, number> = {};
  const add = (piece: string): void => {
    if (!(piece in vocab)) vocab[piece] = Object.keys(vocab).length;
  };
  SPECIAL_TOKENS.forEach(add);
  for (let byte = 0; byte < BYTES; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  characters.forEach(add);
  for (const [left, right] of merges) add(left + right);

  const tokenizer: TokenizerJson = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: WORD_START },
        { type: 'Replace', pattern: { String: ' ' }, content: WORD_START },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: WORD_START }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: merges.map(([left, right]) => `${left} ${right}`),
    },
  };
  const config: TokenizerConfigJson = {
    tokenizer_class: 'LlamaTokenizer',
    unk_token: '<unk>',
    bos_token: '<s>',
    eos_token: '</s>',
    pad_token: '<unk>',
    add_bos_token: false,
    add_eos_token: false,
    // Left on, decoding would drop blanks before punctuation marks.
    clean_up_tokenization_spaces: false,
    legacy: true,
    model_max_length: 256,
  };
  return { tokenizer, config, vocabSize: Object.keys(vocab).length };
}
