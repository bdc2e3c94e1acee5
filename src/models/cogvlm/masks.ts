/**
 * Which token is what and sees what: expert mask, position ids and Tril by the released rules. Plain integers; nothing here
 * touches a tensor.
 *
 *   example, N = 4      bos boi i1 i2 i3 i4 eoi t1 t2
 *   token type           0   1   1  1  1  1  1   0  0
 *   expert               L   V   V  V  V  V  L   L  L     V vision, L language
 *   position             0   1   2  2  2  2  3   4  5
 */

/** token_type_ids: what a place in the sequence holds. */
export const LANGUAGE_TYPE = 0;
export const VISION_TYPE = 1;

/**
 * vis[t] = (type[t] = 1) ∧ (type[t+1] = 1), false at the end of the row: boi and the image tokens go to the vision
 * expert, eoi to the language expert. The rule looks one token ahead, so it is computed for a whole sequence at once.
 */
export function visionExpertMask(types: readonly number[]): boolean[] {
  return types.map((type, t) => type === VISION_TYPE && types[t + 1] === VISION_TYPE);
}

/**
 * Positions count 1 per token, but all image tokens of a picture share one; boi and eoi have their own. The first
 * token of a row never counts, so after left padding bos has position 1.
 *
 * Labels: padding −1; a vision token beside a text token or at an end of the row (boi, eoi) counts as text.
 */
export function positionIds(types: readonly number[], attentionMask?: readonly number[]): number[] {
  const label = types.map((type, t) => (attentionMask?.[t] === 0 ? -1 : type));
  const last = label.length - 1;
  const isEdge = (t: number) =>
    label[t] === VISION_TYPE &&
    (t === 0 || t === last || label[t - 1] === LANGUAGE_TYPE || label[t + 1] === LANGUAGE_TYPE);
  const kind = label.map((value, t) => (isEdge(t) ? LANGUAGE_TYPE : value));
  let position = 0;
  return kind.map((value, t) => {
    const startsImage = value === VISION_TYPE && kind[t - 1] === LANGUAGE_TYPE;
    if (t > 0 && (value === LANGUAGE_TYPE || startsImage)) position++;
    return position;
  });
}

/**
 * Tril of eq. (1), as it is added to the scores QKᵀ/√K before softmax: 0 where a query may see a key, −∞ where not. The T
 * queries are the last of the S places that have keys, so query i sees keys 0…i + (S − T), image tokens like any other:
 *
 *   trilMask(3)        keys →            trilMask(2, 4)     keys →
 *   queries    0 −∞ −∞                   queries    0  0  0 −∞      two places came before and are in the cache
 *         ↓    0  0 −∞                         ↓    0  0  0  0
 *              0  0  0
 *
 * The paper writes it as a function of the scores; multiplied by 0 they would still take part in the sum of softmax. The
 * fused attention does not build the matrix, but counts up to the last key that it lets through.
 *
 * @shape → [T, S]
 */
export function trilMask(T: number, S = T): number[][] {
  const sees = (query: number, key: number) => key <= query + (S - T);
  return Array.from({ length: T }, (_, i) =>
    Array.from({ length: S }, (_, j) => (sees(i, j) ? 0 : Number.NEGATIVE_INFINITY)),
  );
}
