/** A tokenizer.json laid out like LLaMA's with 320 ids: unk, bos, eos, the bytes, a few letters and merges. */
const LETTERS = [...'▁abcdefghiklmnoprstuvwy?:.QSA'];
const MERGES = [
  ['▁', 'a'],
  ['o', 'n'],
  ['r', 'e'],
  ['re', 'd'],
  ['▁', 'red'],
  ['e', 's'],
  ['t', 'i'],
  ['ti', 'on'],
  ['Q', 'u'],
  ['Qu', 'es'],
  ['Ques', 'tion'],
  ['▁', 'Question'],
  ['w', 'e'],
  ['we', 'r'],
  ['n', 's'],
  ['a', 'ns'],
  ['ans', 'wer'],
];

function specialToken(content: string, id: number): Record<string, string | number | boolean> {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

export const UNK = 0;
export const BOS = 1;
export const EOS = 2;
/** Id of byte b is FIRST_BYTE + b. */
export const FIRST_BYTE = 3;

export function tinyTokenizerJson() {
  const vocab: Record<string, number> = {};
  const add = (piece: string): void => {
    vocab[piece] = Object.keys(vocab).length;
  };
  const special = ['<unk>', '<s>', '</s>'];
  special.forEach(add);
  for (let byte = 0; byte < 256; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  LETTERS.forEach(add);
  for (const pair of MERGES) add(pair.join(''));
  return {
    version: '1.0',
    added_tokens: special.map(specialToken),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    // As LLaMA's: bos in front where special tokens are asked for.
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: MERGES.map((pair) => pair.join(' ')),
    },
  };
}
