import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cli, GOLDENS } from './support.ts';

/** Counts from config.json alone, by hand: see the architecture's table of weights. */
function expectedParameters(name: string) {
  const c = JSON.parse(readFileSync(join(GOLDENS, name, 'checkpoint/config.json'), 'utf8'));
  const second = name === 'cogvlm2';
  const v = c.vision_config;
  const [D, F, L, V, E] = [
    c.hidden_size,
    c.intermediate_size,
    c.num_hidden_layers,
    c.vocab_size,
    v.hidden_size,
  ];
  const qkv = D + 2 * c.num_multi_query_heads * (D / c.num_attention_heads);
  const expert = qkv * D + D * D + 3 * D * F;
  const block = 3 * E * E + 3 * E + E * E + E + 2 * E * v.intermediate_size + v.intermediate_size + E + 4 * E;
  const vit = v.num_hidden_layers * block + (v.num_positions + 1) * E + 3 * v.patch_size ** 2 * E + E;
  const adapter = E * D + 2 * D + 3 * D * F + 2 * D + (second ? 4 * E * E + E : 0);
  const experts = L * (expert + (second ? qkv : 0));
  const language = L * (expert + 2 * D) + D + 2 * V * D;
  return { vit, adapter, experts, language, total: vit + adapter + experts + language };
}

describe('cogvlm info', () => {
  for (const name of ['cogvlm', 'cogvlm2']) {
    for (const [checkpoint, dtype] of [
      ['checkpoint', 'F32'],
      ['checkpoint-bf16', 'BF16'],
    ]) {
      it(`counts the parameters of ${name}/${checkpoint}`, async () => {
        const { status, out, err } = await cli('info', '--json', join(GOLDENS, name, checkpoint));
        expect(err).toBe('');
        expect(status).toBe(0);
        const info = JSON.parse(out);
        expect(info.parameters).toEqual(expectedParameters(name));
        expect(info.dtypes[0].dtype).toBe(dtype);
        expect(info.imageTokens).toBe(name === 'cogvlm2' ? 4 : 16);
        const weights = info.files.filter((file: { tensors?: number }) => file.tensors !== undefined);
        expect(weights).toHaveLength(dtype === 'F32' ? 2 : 1);
        for (const { name: file, bytes } of info.files) {
          expect(bytes).toBe(readFileSync(join(GOLDENS, name, checkpoint, file)).length);
        }
      });
    }
  }

  it('prints parts, dtypes and files', async () => {
    const { out } = await cli('info', join(GOLDENS, 'cogvlm2/checkpoint'));
    const { total, experts } = expectedParameters('cogvlm2');
    expect(out).toContain('CogVLM2 in ');
    expect(out).toMatch(new RegExp(`visual experts +${experts.toLocaleString('en-US')} `));
    expect(out).toMatch(new RegExp(`total +${total.toLocaleString('en-US')} +100.0 %`));
    expect(out).toMatch(/model-00001-of-00002\.safetensors +\S+ MB +\d+/);
  });

  it('names a model by its fields', async () => {
    const named = async (folder: string) => (await cli('info', folder)).out.split('\n')[0];
    expect(await named(join(GOLDENS, 'cogvlm/checkpoint'))).toMatch(/^CogVLM in /);
    expect(await named(join(GOLDENS, 'cogvlm2/checkpoint'))).toMatch(/^CogVLM2 in /);
    const demo = join(import.meta.dirname, '../../models/first-light');
    expect(await named(demo)).toMatch(/^CogVLM with a convolution after the ViT in /);
  });

  it('says in one line what is missing', async () => {
    const { status, out, err } = await cli('info', join(GOLDENS, 'nowhere'));
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/^cogvlm: .*nowhere.config\.json cannot be read: .*\n$/);
  });
});
