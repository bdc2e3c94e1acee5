/** The table of weights: what is looked up in it, and that nothing finds a weight by surgery on its name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  CogVLM,
  checkpointKeys,
  initializeWeights,
  CheckpointKeys as Keys,
  type StartKind,
  WeightNameError,
} from '../../src/models/cogvlm/index.ts';
import { Linear } from '../../src/nn/index.ts';
import { Rng } from '../../src/tensor/index.ts';
import { copyLanguageToExperts, parameterGroups } from '../../src/train/index.ts';
import { randomModel, tinyConfig } from '../support/models.ts';

const config = tinyConfig({ bias: true, downsample: true });
const keys = checkpointKeys(config);
const SELF_ATTN = 'model.layers.1.self_attn.';

describe('a name that the table lacks', () => {
  it('throws, with the names most like it', () => {
    expect(keys).toBeInstanceOf(Keys);
    expect(() => keys.get('model.layers.0.mlp.language_mlp.gate_proj.wieght')).toThrow(
      'CogVLM: weights that checkpointKeys does not know: model.layers.0.mlp.language_mlp.gate_proj.wieght; did you mean ' +
        'model.layers.0.mlp.language_mlp.gate_proj.weight or ',
    );
    expect(() => keys.get('zebra')).toThrow(/zebra$/);
    expect(() => keys.get('model.layers.2.input_layernorm.weight')).toThrow(WeightNameError);
  });

  it('is no name of a config without it', () => {
    const conv = 'model.vision.conv.weight';
    expect(keys.get(conv).shape).toEqual([6, 6, 2, 2]);
    expect(checkpointKeys(tinyConfig()).has(conv)).toBe(false);
    expect(() => checkpointKeys(tinyConfig()).get(conv)).toThrow(WeightNameError);
  });

  it('is trained, copied and initialised by nobody', () => {
    const model = new CogVLM(config, { rng: new Rng(1) });
    Object.assign(model.model, { extra: new Linear({ inFeatures: 1, outFeatures: 1, bias: false }) });
    const unknown = 'CogVLM: weights that checkpointKeys does not know: model.extra.weight';
    const parts = { lrScale: { language: 1 }, weightDecay: 0 };
    expect(() => parameterGroups(model, parts)).toThrow(unknown);
    expect(() => copyLanguageToExperts(model)).toThrow(unknown);
    expect(() => initializeWeights(model, STARTS, new Rng(1))).toThrow(unknown);
  });

  it('cannot be frozen', () => {
    const model = new CogVLM(config, { rng: new Rng(1) });
    const parts = { lrScale: { language: 1 }, weightDecay: 0, frozen: ['model.embed_token.weight'] };
    expect(() => parameterGroups(model, parts)).toThrow('did you mean model.embed_tokens.weight?');
  });

  it('is told as lacking where the model lost a weight', () => {
    const model = new CogVLM(config, { rng: new Rng(1) });
    Object.assign(model, { lm_head: null });
    expect(() => copyLanguageToExperts(model)).toThrow(
      'CogVLM: weights that the model lacks: lm_head.weight',
    );
  });
});

describe('twins', () => {
  it('every weight of an expert has the language weight of its layer, a bias none; no other weight has one', () => {
    const twins = [...keys].filter(([, { twin }]) => twin !== undefined);
    expect(twins.every(([, { part }]) => part === 'experts')).toBe(true);
    expect(twins).toHaveLength([...keys].filter(([, { part }]) => part === 'experts').length);
    const inLayer = (name: string) => keys.get(SELF_ATTN + name).twin;
    expect(inLayer('vision_expert_query_key_value.weight')).toBe(
      `${SELF_ATTN}language_expert_query_key_value.weight`,
    );
    expect(inLayer('vision_expert_query_key_value.bias')).toBeNull();
    expect(inLayer('vision_expert_dense.weight')).toBe(`${SELF_ATTN}language_expert_dense.weight`);
    expect(keys.get('model.layers.0.mlp.vision_mlp.up_proj.weight').twin).toBe(
      'model.layers.0.mlp.language_mlp.up_proj.weight',
    );
    for (const [, { twin, shape }] of twins) {
      if (typeof twin === 'string') expect(keys.get(twin)).toMatchObject({ part: 'language', shape });
    }
  });

  it('experts start as their twins, what has none at 0', () => {
    const model = randomModel(config, 3);
    copyLanguageToExperts(model);
    const state = model.stateDict();
    for (const [name, { twin }] of keys) {
      if (twin === undefined) continue;
      const expected = twin === null ? [...(state.get(name)?.data ?? [])].fill(0) : state.get(twin)?.data;
      expect([...(state.get(name)?.data ?? [])], name).toEqual([...(expected ?? [])]);
    }
  });
});

const STARTS = {
  embedding: { std: 3 },
  position: { std: 5 },
  linear: { gain: 7 },
  residual: { gain: 11 },
  head: { gain: 13 },
  norm: { value: 17 },
  residualNorm: { value: 19 },
  bias: { value: 23 },
} as const;

describe('initializeWeights', () => {
  const big = tinyConfig({
    heads: 8,
    group: 1,
    headDim: 8,
    intermediateSize: 90,
    vitHeadDim: 20,
    bias: true,
  });

  it('starts every weight as its kind does', () => {
    const model = new CogVLM(big, { dtype: 'float64' });
    const frequencies = [...model.model.layers[0].self_attn.rotary_emb.inv_freq.data];
    initializeWeights(model, STARTS, new Rng(1));
    const seen = new Set<StartKind>();
    for (const [name, { start, weight }] of checkpointKeys(big).match(model.state())) {
      seen.add(start);
      const values = [...weight.data];
      if (start === 'computed') {
        expect(values).toEqual(frequencies);
        continue;
      }
      const recipe: { value?: number; std?: number; gain?: number } = STARTS[start];
      if (recipe.value !== undefined) {
        expect(new Set(values), name).toEqual(new Set([recipe.value]));
        continue;
      }
      const fanIn = weight.shape.slice(1).reduce((n, m) => n * m, 1);
      const std = recipe.std ?? (recipe.gain ?? 0) / Math.sqrt(fanIn);
      const measured = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
      // The standard deviation of n numbers strays by 1/√(2n).
      expect(Math.abs(measured / std - 1), name).toBeLessThan(5 / Math.sqrt(2 * values.length));
    }
    expect(seen.size).toBe(Object.keys(STARTS).length + 1);
  });

  it('draws the same numbers from the same seed', () => {
    const [a, b] = [new CogVLM(config), new CogVLM(config)];
    for (const model of [a, b]) initializeWeights(model, STARTS, new Rng(5));
    for (const [name, weight] of a.state()) expect(b.stateDict().get(name)?.data, name).toEqual(weight.data);
  });
});

describe('source', () => {
  const root = join(import.meta.dirname, '../..');
  const files = ['src', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
      .map((path) => join(folder, path)),
  );
  /** Segments of names that are no words of the language. */
  const segments = new Set(
    [...keys.keys()].flatMap((name) => name.split('.')).filter((segment) => /_|layernorm/.test(segment)),
  );
  const SURGERY = new Set([
    'includes',
    'startsWith',
    'endsWith',
    'replace',
    'replaceAll',
    'indexOf',
    'split',
  ]);

  it('no regular expression and no search in a text looks for a weight by its name', () => {
    const found: string[] = [];
    for (const file of files) {
      const tree = ts.createSourceFile(
        file,
        readFileSync(join(root, file), 'utf8'),
        ts.ScriptTarget.Latest,
        true,
      );
      const visit = (node: ts.Node): void => {
        const isSurgery =
          ts.isRegularExpressionLiteral(node) ||
          (ts.isStringLiteralLike(node) &&
            ts.isCallExpression(node.parent) &&
            ts.isPropertyAccessExpression(node.parent.expression) &&
            SURGERY.has(node.parent.expression.name.text));
        const text = isSurgery ? node.getText(tree) : '';
        if ([...segments].some((segment) => text.includes(segment))) found.push(`${file}: ${text}`);
        ts.forEachChild(node, visit);
      };
      visit(tree);
    }
    expect(found).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
    expect(segments.has('language_expert_dense') && segments.has('input_layernorm')).toBe(true);
  });
});
