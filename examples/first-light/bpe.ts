/**
 * A small byte-pair-encoding trainer in SentencePiece's manner: a blank becomes "▁" at the head of the word that follows
 * it, merges never cross a word, and characters that the training text lacks are left to byte fallback.
 *
 * Sennrich, Haddow, Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016), algorithm 1.
 */

/** What training yields: the characters seen, then one new piece per merge, in order of the merges. */
export interface BpeModel {
  readonly characters: readonly string[];
  readonly merges: readonly (readonly [left: string, right: string])[];
}

interface Word {
  readonly count: number;
  pieces: string[];
}

/** The mark of a word's beginning. */
export const WORD_START = '▁';

/**
 * Learns merges until the model has `size` pieces (characters and merges together) or no pair occurs twice.
 *
 * @param texts Training lines; a word counts as often as it occurs.
 * @throws RangeError where `size` is too small for the characters alone.
 */
export function trainBpe(texts: readonly string[], size: number): BpeModel {
  const words = countWords(texts);
  const characters = [...new Set(words.flatMap((word) => word.pieces))].sort();
  if (size < characters.length)
    throw new RangeError(
      `trainBpe(texts, size): ${characters.length} characters do not fit into size ${size}`,
    );
  const merges: [string, string][] = [];
  while (characters.length + merges.length < size) {
    const best = mostFrequentPair(words);
    if (best === undefined) break;
    merges.push(best);
    for (const word of words) word.pieces = mergePair(word.pieces, best);
  }
  return { characters, merges };
}

function countWords(texts: readonly string[]): Word[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of text.split(' '))
      counts.set(WORD_START + word, (counts.get(WORD_START + word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => ({ count, pieces: [...word] }));
}

/** The pair with the highest count; ties go to the pair that sorts first, so that the result is unique. */
function mostFrequentPair(words: readonly Word[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const { pieces, count } of words) {
    for (let i = 1; i < pieces.length; i++) {
      const pair = `${pieces[i - 1]} ${pieces[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    }
  }
  let best: string | undefined;
  let bestCount = 1;
  for (const [pair, count] of counts) {
    if (count > bestCount || (count === bestCount && best !== undefined && pair < best)) {
      best = pair;
      bestCount = count;
    }
  }
  return best?.split(' ') as [string, string] | undefined;
}

function mergePair(pieces: readonly string[], [left, right]: readonly [string, string]): string[] {
  const merged: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    if (pieces[i] === left && pieces[i + 1] === right) {
      merged.push(left + right);
      i++;
    } else merged.push(pieces[i]);
  }
  return merged;
}
