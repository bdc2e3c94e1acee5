import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/data/tokenizer.ts';
import { BOS, EOS, FIRST_BYTE, tinyTokenizerJson, UNK } from '../support/tinyTokenizer.ts';

const json = tinyTokenizerJson();
const vocab: Record<string, number> = json.model.vocab;
const tokenizer = new Tokenizer(json, { tokenizer_class: 'LlamaTokenizer' });

const streamed = (ids: readonly number[], by = tokenizer): string[] => {
  const stream = by.stream();
  return [...ids.map((id) => stream.push(id)), stream.end()];
};

const idsOfBytes = (text: string) => [...new TextEncoder().encode(text)].map((byte) => FIRST_BYTE + byte);

describe('Tokenizer', () => {
  it('merges, puts a blank in front, and adds no special tokens', () => {
    const ids = tokenizer.encode('Question: a red answer?');
    // "▁ a" merges before "ans wer" can, as the ranks say.
    const pieces = ['▁Question', ':', '▁a', '▁red', '▁a', 'ns', 'wer', '?'];
    expect(ids).toEqual(pieces.map((piece) => vocab[piece]));
    expect(tokenizer.decode(ids)).toBe('Question: a red answer?');
  });

  it('falls back to bytes', () => {
    expect(tokenizer.encode('a\nα')).toEqual([vocab['▁a'], FIRST_BYTE + 10, ...idsOfBytes('α')]);
  });

  it('has no tokens for the empty text', () => {
    expect(tokenizer.encode('')).toEqual([]);
    expect(tokenizer.decode([])).toBe('');
  });

  it('gives back every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
        fc.pre(!/<(unk|s|\/s|0x..)>/.test(text) && !text.includes('▁') && !text.includes('\uFEFF'));
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('skips special tokens and ids without a token when decoding', () => {
    expect(tokenizer.decode([BOS, vocab['▁a'], UNK, 5000, vocab['▁red'], EOS])).toBe('a red');
    expect(tokenizer.decode([BOS, EOS])).toBe('');
  });

  it('leaves blanks before punctuation marks', () => {
    expect(tokenizer.decode(tokenizer.encode('a . red ?'))).toBe('a . red ?');
  });

  it('says what is wrong', () => {
    expect(() => new Tokenizer([])).toThrow('tokenizer.json: expected an object with the field "model"');
    expect(() => new Tokenizer({ model: { type: 'Morse' } })).toThrow(/tokenizer\.json: .*Morse/);
    expect(() => new Tokenizer(json, 3)).toThrow('tokenizer_config.json: expected an object');
    expect(() => tokenizer.decode([1, -1])).toThrow(
      'decode: ids[1] is -1, expected a whole number from 0 on',
    );
    const model = { ...json.model, byte_fallback: false, unk_token: '<none>' };
    expect(() => new Tokenizer({ ...json, model }).encode('a α')).toThrow(
      'encode: tokenizer.json has neither a token for a part of "a α" nor an unk_token',
    );
  });
});

describe('TokenStream', () => {
  it('hands out text only when its characters are complete', () => {
    expect(streamed([vocab['▁a'], ...idsOfBytes(' €'), vocab['▁red']])).toEqual([
      'a',
      ' ',
      '',
      '',
      '€',
      ' red',
      '',
    ]);
  });

  it('hands out what stays incomplete at the end', () => {
    expect(streamed([vocab['▁a'], FIRST_BYTE + 0xe2]).join('')).toBe('a\uFFFD');
  });

  it('goes on after bytes that are no UTF-8', () => {
    expect(streamed([FIRST_BYTE + 0x80, vocab['▁red'], vocab['▁a']])).toEqual(['', '\uFFFD red', ' a', '']);
  });

  it('keeps the blank after special tokens', () => {
    expect(streamed([vocab['▁a'], EOS, UNK, vocab['▁red']]).join('')).toBe('a red');
    expect(streamed([BOS, vocab['▁'], vocab['▁'], vocab['▁a']]).join('')).toBe(
      tokenizer.decode([BOS, vocab['▁'], vocab['▁'], vocab['▁a']]),
    );
  });

  it('hands out the decoded whole, whatever the tokens', () => {
    const size = Object.keys(vocab).length;
    fc.assert(
      fc.property(fc.array(fc.nat(size - 1), { maxLength: 30 }), (ids) => {
        expect(streamed(ids).join('')).toBe(tokenizer.decode(ids));
      }),
    );
  });
});
