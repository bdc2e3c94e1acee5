/** Prompts laid out as the released code lays them out, against the golden cases. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig, promptBatch, promptRow } from '../../src/models/cogvlm/index.ts';

const GOLDENS = join(import.meta.dirname, '../goldens');

for (const name of ['cogvlm', 'cogvlm2']) {
  describe(name, () => {
    const read = (file: string) => JSON.parse(readFileSync(join(GOLDENS, name, file), 'utf8'));
    const names = { has: () => name === 'cogvlm2' };
    const config = parseConfig(read('checkpoint/config.json'), names);
    const golden = read('case.json');

    it('places the picture between bos and text', () => {
      const row = promptRow(config, golden.texts[0], true);
      expect(row.ids).toEqual(golden.input_ids);
      expect(row.types).toEqual(golden.token_type_ids);
    });

    it('is bos and text without a picture', () => {
      expect(promptRow(config, [7, 8], false)).toEqual({ ids: [1, 7, 8], types: [0, 0, 0] });
    });

    it('pads batches on the left', () => {
      const rows = golden.texts.map((text: number[]) => promptRow(config, text, true));
      const batch = promptBatch(config, rows);
      expect(batch.ids).toEqual(golden.batch.input_ids);
      expect(batch.types).toEqual(golden.batch.token_type_ids);
      expect(batch.attentionMask).toEqual(golden.batch.attention_mask);
    });

    it('has no mask where nothing is padded', () => {
      const row = promptRow(config, [7, 8], true);
      expect(promptBatch(config, [row, row])).toEqual({
        ids: [row.ids, row.ids],
        types: [row.types, row.types],
      });
    });

    it('names ids beyond the vocabulary', () => {
      expect(() => promptRow(config, [7, 320], true)).toThrow('text[1] is 320');
      expect(() => promptRow(config, [-1], false)).toThrow('text[0] is -1');
      expect(() => promptBatch(config, [])).toThrow('rows is empty');
    });
  });
}
