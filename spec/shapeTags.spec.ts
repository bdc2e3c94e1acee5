/** Every @shape tag of the source is held against a call: its letters must have one size each, in what came and what went. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { pixelValues } from '../src/data/image/index.ts';
import { Tokenizer } from '../src/data/tokenizer.ts';
import {
  collectAnswer,
  ExpertRouting,
  imageTokens,
  PretrainedCogVLM,
  parseConfig,
} from '../src/models/cogvlm/index.ts';
import { trilMask } from '../src/models/cogvlm/masks.ts';
import {
  type AnyModule,
  attention,
  conv2d,
  Embedding,
  LayerNorm,
  Linear,
  type Module,
  PatchConv,
  RMSNorm,
  SwiGLU,
  withCallTap,
  withTap,
} from '../src/nn/index.ts';
import { noGrad, Rng, Tensor } from '../src/tensor/index.ts';
import { stackPixels } from '../src/train/batch.ts';
import { pictureTensor } from '../src/verify/pictures.ts';
import { batchOf, conversation, randomModel, tinyConfig, tinyJson } from './support/models.ts';
import { tinyTokenizerJson } from './support/tinyTokenizer.ts';

const SRC = join(import.meta.dirname, '../src');

// ---- tags ---------------------------------------------------------------------------------------------------------

/** A shape, and the words before it: "Y_I [n_I, D]". */
interface Said {
  readonly names: readonly string[];
  readonly axes: readonly string[];
}

interface Tag {
  /** "Linear.forward", "conv2d". */
  readonly of: string;
  readonly text: string;
  readonly parameters: readonly string[];
  readonly inputs: readonly Said[];
  readonly outputs: readonly Said[];
  /** "[B, T, V], or [B, 1, V]" */
  readonly either: boolean;
}

function saidIn(text: string): Said[] {
  return Array.from(text.matchAll(/([^[\]]*)\[([^\]]*)\]/g), ([, words, axes]) => ({
    names: words.split(/[\s,]+/).filter((word) => word !== '' && word !== 'and' && word !== 'or'),
    axes: axes.split(',').map((axis) => axis.trim()),
  }));
}

function readTag(of: string, text: string, parameters: readonly string[]): Tag {
  const [before, after] = text.split('→');
  const either = after.includes(', or [');
  return { of, text, parameters, inputs: saidIn(before), outputs: saidIn(after), either };
}

let written = 0;
const tags: Tag[] = [];
for (const path of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith('.ts')) continue;
  const text = readFileSync(join(SRC, path), 'utf8');
  written += [...text.matchAll(/@shape /g)].length;
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node, owner: string): void => {
    if (ts.isMethodDeclaration(node) || ts.isFunctionDeclaration(node)) {
      const comments = ts.getJSDocCommentsAndTags(node).map((comment) => comment.getText());
      const [, shape] = /@shape ([^\n]*?)\s*(?:\*\/)?$/m.exec(comments.join('\n')) ?? [];
      const parameters = node.parameters.map(({ name }) => name.getText());
      if (shape !== undefined) tags.push(readTag(owner + node.name?.getText(), shape, parameters));
    }
    const inner = ts.isClassDeclaration(node) ? `${node.name?.text}.` : owner;
    ts.forEachChild(node, (child) => visit(child, inner));
  };
  visit(tree, '');
}

// ---- letters ------------------------------------------------------------------------------------------------------

/** The value of "g²", "N + 2", "⌊g/2⌋²", "h·p", "C/groups"; undefined where a letter is unknown. */
function evaluated(expression: string, sizes: ReadonlyMap<string, number>): number | undefined {
  const text = expression.trim();
  const fold = (separator: string, combine: (a: number, b: number) => number): number | undefined => {
    const parts = text.split(separator).map((part) => evaluated(part, sizes));
    return parts.includes(undefined) ? undefined : (parts as number[]).reduce(combine);
  };
  if (text.includes(' + ')) return fold(' + ', (a, b) => a + b);
  if (text.includes('·')) return fold('·', (a, b) => a * b);
  const inner = (value: number | undefined, then: (n: number) => number) =>
    value === undefined ? undefined : then(value);
  if (text.endsWith('²')) return inner(evaluated(text.slice(0, -1), sizes), (n) => n * n);
  if (text.startsWith('⌊')) return inner(evaluated(text.slice(1, -1), sizes), Math.floor);
  if (text.includes('/')) return fold('/', (a, b) => a / b);
  return /^\d+$/.test(text) ? Number(text) : sizes.get(text);
}

type Claim = readonly [expression: string, size: number];

/** Binds letters that stand alone, then the one unknown factor of a product; what then differs is said. */
function contradictions(claims: readonly Claim[], given: Readonly<Record<string, number>>): string[] {
  const sizes = new Map(Object.entries(given));
  for (const [expression, size] of claims)
    if (/^[A-Za-z_]+$/.test(expression) && !sizes.has(expression)) sizes.set(expression, size);
  for (const [expression, size] of claims) {
    const factors = expression.split('·');
    const unknown = factors.filter((factor) => evaluated(factor, sizes) === undefined);
    if (factors.length < 2 || unknown.length !== 1) continue;
    const rest = factors.filter((factor) => factor !== unknown[0]);
    sizes.set(unknown[0], size / rest.reduce((n, factor) => n * (evaluated(factor, sizes) ?? 1), 1));
  }
  return claims.flatMap(([expression, size]) => {
    const value = evaluated(expression, sizes);
    return value === size ? [] : [`${expression} is ${value}, the call has ${size}`];
  });
}

/** Sizes of a tensor, of nested arrays, of numbers, or of what a function gives. */
function shapeOf(value: unknown): number[] {
  if (typeof value === 'function') return shapeOf(value());
  if (Array.isArray(value)) return [value.length, ...(value.length > 0 ? shapeOf(value[0]) : [])];
  if (ArrayBuffer.isView(value)) return [(value as Float32Array).length];
  if (typeof value !== 'object' || value === null) return [];
  return [...(value as { readonly shape: readonly number[] }).shape];
}

/** Its axes beside a call's; "..." is any number of axes in front. */
function claimsOf({ axes }: Said, shape: readonly number[]): Claim[] {
  const named = axes[0] === '...' ? axes.slice(1) : axes;
  const fits = axes[0] === '...' ? shape.length >= named.length : shape.length === named.length;
  if (!fits) return [[`number of axes of [${axes}]`, shape.length]];
  const lead = shape.slice(0, shape.length - named.length);
  const last = shape.slice(lead.length);
  return [
    ...(axes[0] === '...' ? [['leading', lead.length] as const] : []),
    ...lead.map((size, i) => [`leading_${'abcdef'[i]}`, size] as const),
    ...named.map((axis, i) => [axis, last[i]] as const),
  ];
}

/** An argument by the name the tag gives it: a parameter, or a field of one. */
function argument(tag: Tag, args: readonly unknown[], name: string): unknown {
  const at = tag.parameters.indexOf(name);
  if (at >= 0) return args[at];
  const holder = args.find((arg) => typeof arg === 'object' && arg !== null && name in arg);
  return (holder as Readonly<Record<string, unknown>> | undefined)?.[name];
}

const exercised = new Set<string>();
const wrong = new Set<string>();

/** Holds a call against the tag of what was called. */
function hold(
  of: string,
  args: readonly unknown[],
  output: unknown,
  given: Readonly<Record<string, number>>,
) {
  const tag = tags.find((one) => one.of === of);
  if (tag === undefined) return;
  exercised.add(of);
  const claims: Claim[] = [];
  for (const said of tag.inputs) {
    const [name, letter, times] = said.names;
    if (times === 'times') {
      const all = argument(tag, args, name) as readonly unknown[];
      claims.push([letter, all.length], ...claimsOf(said, shapeOf(all[0])));
    } else for (const each of said.names) claims.push(...claimsOf(said, shapeOf(argument(tag, args, each))));
  }
  const field = (name: string) =>
    typeof output === 'object' && output !== null
      ? (output as Readonly<Record<string, unknown>>)[name]
      : undefined;
  const put = (said: Said): Claim[] => {
    const found = said.names.map(field).filter((value) => value !== undefined);
    return (found.length > 0 ? found : [output]).flatMap((value) => claimsOf(said, shapeOf(value)));
  };
  const options = tag.either ? tag.outputs.map(put) : [tag.outputs.flatMap(put)];
  const findings = options.map((option) => contradictions([...claims, ...option], given));
  if (findings.some((found) => found.length === 0)) return;
  wrong.add(`${of}: @shape ${tag.text}: ${findings[0].join('; ')}`);
}

/** Holds every module that `fn` calls against the tag of its `forward`; gives inputs and output of each by path. */
async function watch<R>(given: Readonly<Record<string, number>>, fn: () => R | Promise<R>) {
  const open: (readonly unknown[])[] = [];
  const seen = new Map<string, { readonly args: readonly unknown[]; readonly output: unknown }>();
  await withCallTap(
    (_path, _module, args) => open.push(args),
    () =>
      withTap(
        (path: string, output: unknown, module: AnyModule) => {
          const args = open.pop() ?? [];
          seen.set(path, { args, output });
          // Letters of widths are the model's only where the module is: Linear's D is its own.
          const own = module.constructor.name;
          hold(`${own}.forward`, args, output, GENERAL.has(own) ? {} : given);
        },
        async () => fn(),
      ),
  );
  return seen;
}

const GENERAL = new Set(['Linear', 'LayerNorm', 'RMSNorm', 'SwiGLU', 'Embedding', 'PatchConv']);

// ---- calls --------------------------------------------------------------------------------------------------------

const zeros = (...shape: number[]) => Tensor.zeros(shape);

/** A model of sizes that differ from one another, and what its letters are. */
function sizesOf(downsample: boolean) {
  const config = tinyConfig({ heads: 4, group: 2, headDim: 6, vitHeads: 3, vitHeadDim: 5, grid: 3, patchSize: 7, downsample }); // biome-ignore format: a line
  const { hiddenSize: D, numAttentionHeads: H, vocabSize: V, vision } = config;
  const { inChannels: C, hiddenSize: E, patchSize: p } = vision;
  const letters = { D, H, K: D / H, V, C, E, p, g: 3, L: 10, N: imageTokens(vision) };
  return { config, letters };
}

async function callAll(): Promise<void> {
  for (const downsample of [false, true]) {
    const { config, letters } = sizesOf(downsample);
    const model = randomModel(config, 3);
    const batch = batchOf(config, [conversation(config, [1, 2], 1), conversation(config, [4], 2)]);
    const [B, T] = [batch.ids.length, batch.ids[0].length];
    const text = { ids: batch.ids, types: batch.types, attentionMask: batch.attentionMask };
    await watch({ ...letters, T }, () => noGrad(() => model.call({ ...text, pixels: batch.pixels }, true)));
    const seen = await watch({ ...letters, T }, () =>
      noGrad(() => model.call({ ...text, pixels: batch.pixels })),
    );
    expect(seen.get('')?.output).toMatchObject({ shape: [B, T, letters.V] });
    if (!downsample) continue;
    // Between the transformer, whose class token goes, and the adapter.
    const { output } = seen.get('model.vision.transformer') ?? {};
    const [x] = seen.get('model.vision.linear_proj')?.args ?? [];
    hold('VisionModel.#downsample', [(output as Tensor).slice(1, 1)], x, letters);
  }

  const rng = new Rng(1);
  const holdModule = <In>(module: Module<[In], Tensor>, x: In, given: Readonly<Record<string, number>>) =>
    hold(`${module.constructor.name}.forward`, [x], module.call(x), given);
  const [x3, x4] = [zeros(2, 5, 3), zeros(2, 3, 4)];
  holdModule(new Linear({ inFeatures: 3, outFeatures: 4, bias: true, rng }), x3, { in: 3, out: 4 });
  holdModule(new LayerNorm({ width: 4, eps: 1e-5 }), x4, { D: 4 });
  holdModule(new RMSNorm({ width: 4, eps: 1e-5 }), x4, { D: 4 });
  holdModule(new SwiGLU({ width: 4, intermediateSize: 5, rng }), x4, { D: 4, F: 5 });
  const ids = [[1, 2, 3], [4, 5, 6]]; // biome-ignore format: rows
  holdModule(new Embedding({ numEmbeddings: 9, embeddingDim: 4, rng }), ids, { D: 4, V: 9 });
  const patches = new PatchConv({ inChannels: 3, outChannels: 5, size: 2, rng });
  holdModule(patches, zeros(2, 3, 8, 14), { C: 3, O: 5, p: 2 });

  const routing = new ExpertRouting([
    [true, true, false, false, false],
    [true, false, false, false, false],
  ]);
  const X = zeros(2, 5, 4);
  const { X_I, X_T } = routing.split(X);
  const kinds = { n_I: 3, n_T: 7 };
  hold('ExpertRouting.split', [X], { X_I, X_T }, kinds);
  const parts = [() => X_I, () => X_T] as const;
  hold('ExpertRouting.concat', parts, routing.concat(...parts), { ...kinds, B: 2, T: 5 });

  const qkv = [zeros(2, 4, 3, 6), zeros(2, 2, 5, 6), zeros(2, 2, 5, 6)] as const;
  hold('attention', qkv, attention(...qkv, { causal: true }), {});
  const [x, weight] = [zeros(2, 4, 9, 11), zeros(6, 2, 3, 5)];
  hold('conv2d', [x, weight], conv2d(x, weight, { groups: 2 }), { groups: 2, h: 7, w: 7 });
  hold('trilMask', [2, 5], trilMask(2, 5), { T: 2, S: 5 });

  const image = { width: 5, height: 4, data: new Uint8Array(60) };
  hold('pixelValues', [{ shape: [4, 5, 3] }], { shape: [3, 14, pixelValues(image, 14).length / 42] }, { g: 2, p: 7, height: 4, width: 5 }); // biome-ignore format: a line
  const pictures = [0, 1].map(() => new Float32Array(3 * 14 * 14));
  hold('stackPixels', [pictures], stackPixels(pictures, [3, 14, 14]), { g: 2, p: 7 });
  const pixels = { shape: [4, 3, 14, 14], data: new Float32Array(4 * 3 * 14 * 14) };
  hold('pictureTensor', [pixels], pictureTensor(pixels, 1, 2, 'float32'), { g: 2, p: 7, count: 2 });

  const big = parseConfig({ ...tinyJson({ grid: 2, patchSize: 7 }), vocab_size: 320 });
  const asked: (readonly number[])[] = [];
  const talker = randomModel(big, 1, 'float32');
  await withCallTap(
    (_path, module, args) => {
      const [input] = args as readonly [{ readonly pixels?: Tensor } | undefined];
      if (module === talker.model && input?.pixels !== undefined) asked.push(input.pixels.shape);
    },
    () =>
      collectAnswer(
        new PretrainedCogVLM(talker, new Tokenizer(tinyTokenizerJson())).ask(image, 'red?', {
          maxNewTokens: 1,
        }),
      ),
  );
  hold('PretrainedCogVLM.#pixels', [image], { shape: asked[0] }, { g: 2, p: 7 });
}

describe('@shape', () => {
  it('stands at functions and methods, each with a way from inputs to outputs', () => {
    expect(tags.length).toBe(written);
    expect(tags.length).toBeGreaterThan(25);
    expect(tags.filter(({ outputs }) => outputs.length === 0)).toEqual([]);
  });

  it('says what a real call has, every one', async () => {
    await callAll();
    expect([...wrong]).toEqual([]);
    expect(tags.map(({ of }) => of).filter((of) => !exercised.has(of))).toEqual([]);
  });

  it('is found out where it is wrong', () => {
    const claims: readonly Claim[] = [['B', 2], ['g·p', 14], ['N + 2', 6], ['D', 8]]; // biome-ignore format: rows
    expect(contradictions(claims, { N: 4, p: 7 })).toEqual([]);
    expect(contradictions([...claims, ['D', 9]], { N: 4, p: 7 })).toEqual(['D is 8, the call has 9']);
    expect(contradictions(claims, { N: 5, p: 7 })).toEqual(['N + 2 is 7, the call has 6']);
    expect(contradictions([['⌊g/2⌋²', 4]], { g: 5 })).toEqual([]);
    expect(contradictions([['⌊g/2⌋²', 4], ['h·p', 8]], { g: 7 })).toHaveLength(2); // biome-ignore format: rows
  });
});
