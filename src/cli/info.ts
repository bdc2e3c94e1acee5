/** cogvlm info DIR: what a model folder holds, told from its config and the headers of its files. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Checkpoint } from '../data/index.ts';
import { openCheckpointFolder } from '../data/node.ts';
import {
  type CogVLMConfig,
  checkpointKeys,
  configOf,
  configToJson,
  imageTokens,
  type ModelPart,
} from '../models/cogvlm/index.ts';
import { modelFolder, readConfigJson } from '../models/cogvlm/node.ts';
import type { Session } from './io.ts';
import { bytes, grouped, table } from './table.ts';

const PART_NAMES: Readonly<Record<ModelPart, string>> = {
  vit: 'ViT',
  adapter: 'adapter',
  experts: 'visual experts',
  language: 'language model',
};

interface ModelInfo {
  readonly folder: string;
  readonly config: Record<string, unknown>;
  /** Parameters of each part and in all; rotary frequencies are none. */
  readonly parameters: Readonly<Record<ModelPart | 'total', number>>;
  readonly imageTokens: number;
  readonly dtypes: readonly { dtype: string; tensors: number; values: number; bytes: number }[];
  readonly files: readonly { name: string; bytes: number; tensors?: number }[];
}

export function addInfo(program: Command, session: Session): void {
  program
    .command('info')
    .summary('sizes, parameters and files of a model folder')
    .description('Prints config, parameter counts per part, dtypes and files. Reads headers, no weights.')
    .argument('<dir>', 'model folder, or the name of a model of the package')
    .option('--json', 'as JSON')
    .action(async (folder: string, options: { json?: true }) => {
      const json = await readConfigJson(folder);
      const checkpoint = await openCheckpointFolder(modelFolder(folder));
      try {
        const config = configOf(json, checkpoint);
        const info = await modelInfo(folder, config, checkpoint);
        session.out(options.json ? `${JSON.stringify(info, null, 2)}\n` : report(info, config));
      } finally {
        await checkpoint.close();
      }
    });
}

/** What sets CogVLM2 apart; a model that has only some of it is a CogVLM with these. */
function modelName({
  numAttentionHeads,
  numKeyValueHeads,
  ropeTheta,
  visionExpertQkvBias,
  vision,
}: CogVLMConfig) {
  const traits: readonly (readonly [has: boolean, name: string])[] = [
    [vision.convDownsample, 'a convolution after the ViT'],
    [numKeyValueHeads < numAttentionHeads, 'grouped queries'],
    [visionExpertQkvBias, 'a bias in the visual experts'],
    [ropeTheta === 500000, 'rotary base 500000'],
  ];
  const own = traits.flatMap(([has, name]) => (has ? [name] : []));
  if (own.length === traits.length) return 'CogVLM2';
  return own.length === 0 ? 'CogVLM' : `CogVLM with ${own.join(', ')}`;
}

async function modelInfo(folder: string, config: CogVLMConfig, checkpoint: Checkpoint): Promise<ModelInfo> {
  const parameters = { vit: 0, adapter: 0, experts: 0, language: 0, total: 0 };
  for (const [, { part, shape, optional }] of checkpointKeys(config)) {
    if (optional) continue;
    const count = shape.reduce((n, m) => n * m, 1);
    parameters[part] += count;
    parameters.total += count;
  }
  const tensorsOf = new Map(checkpoint.files.map(({ name, tensorCount }) => [name, tensorCount]));
  const path = modelFolder(folder);
  const files: { name: string; bytes: number; tensors?: number }[] = [];
  for (const entry of (await readdir(path, { withFileTypes: true })).filter((e) => e.isFile())) {
    const { size } = await stat(join(path, entry.name));
    const tensors = tensorsOf.get(entry.name);
    files.push({ name: entry.name, bytes: size, ...(tensors === undefined ? {} : { tensors }) });
  }
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const dtype = dtypes(checkpoint);
  return {
    folder,
    config: configToJson(config, torchDType(dtype[0].dtype)),
    parameters,
    imageTokens: imageTokens(config.vision),
    dtypes: dtype,
    files,
  };
}

/** Of the stored tensors, the one with most values first. */
function dtypes(checkpoint: Checkpoint): ModelInfo['dtypes'] {
  const counts = new Map<string, { dtype: string; tensors: number; values: number; bytes: number }>();
  for (const { dtype, shape, begin, end } of checkpoint.tensors.values()) {
    const count = counts.get(dtype) ?? { dtype, tensors: 0, values: 0, bytes: 0 };
    count.tensors++;
    count.values += shape.reduce((n, m) => n * m, 1);
    count.bytes += end - begin;
    counts.set(dtype, count);
  }
  return [...counts.values()].sort((a, b) => b.values - a.values);
}

function torchDType(dtype: string): string {
  return { F64: 'float64', F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[dtype] ?? dtype;
}

function report(info: ModelInfo, config: CogVLMConfig): string {
  const { vision } = config;
  const { total } = info.parameters;
  const share = (n: number) => `${((100 * n) / total).toFixed(1)} %`;
  const parts = (Object.keys(PART_NAMES) as ModelPart[]).map((part) => {
    const n = info.parameters[part];
    return [PART_NAMES[part], grouped(n), share(n)];
  });
  const S = vision.imageSize;
  const lines = [
    `${modelName(config)} in ${info.folder}`,
    '',
    ...table([
      [
        'language',
        `${config.numHiddenLayers} layers, width ${config.hiddenSize}, FFN ${config.intermediateSize}, ` +
          `${config.numAttentionHeads} heads (${config.numKeyValueHeads} of keys and values), ` +
          `vocabulary ${config.vocabSize}, rotary base ${config.ropeTheta}`,
      ],
      [
        'vision',
        `${vision.numHiddenLayers} blocks, width ${vision.hiddenSize}, FFN ${vision.intermediateSize}, ` +
          `${vision.numHeads} heads, ${S} × ${S} px in patches of ${vision.patchSize}` +
          `${vision.convDownsample ? ', 2×2 convolution' : ''}: ${info.imageTokens} image tokens, boi and eoi`,
      ],
      ['template', config.templateVersion],
      ['tokens', `bos ${config.bosTokenId}, eos ${config.eosTokenId.join(' ')}, pad ${config.padTokenId}`],
    ]),
    '',
    ...table([['part', 'parameters', 'share'], ...parts, ['total', grouped(total), share(total)]], [1, 2]),
    '',
    ...table(
      [
        ['dtype', 'tensors', 'values', 'size'],
        ...info.dtypes.map((d) => [d.dtype, grouped(d.tensors), grouped(d.values), bytes(d.bytes)]),
      ],
      [1, 2, 3],
    ),
    '',
    ...table(
      [
        ['file', 'size', 'tensors'],
        ...info.files.map((f) => [f.name, bytes(f.bytes), f.tensors === undefined ? '' : grouped(f.tensors)]),
      ],
      [1, 2],
    ),
  ];
  return `${lines.join('\n')}\n`;
}
