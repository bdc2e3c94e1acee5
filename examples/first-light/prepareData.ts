/** `npm run prepare-data`: draws the pictures and trains the tokenizer into `build/`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from 'cogvlm-ts/node';
import { buildFolder, loadDataset, prepareDataset, questionsAbout } from './dataset.ts';
import { trainingTexts } from './texts.ts';
import { makeTokenizer } from './tokenizer.ts';

/** Ids of the tokenizer, the most it may have. */
const VOCAB_SIZE = 1152;

await prepareDataset();
const dataset = loadDataset();
const { tokenizer, config, vocabSize } = makeTokenizer(trainingTexts(dataset), VOCAB_SIZE);
const folder = join(buildFolder, 'tokenizer');
mkdirSync(folder, { recursive: true });
await replaceFile(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer, null, 1)}\n`);
await replaceFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, null, 1)}\n`);

const asked = dataset.train.reduce((sum, sample) => sum + questionsAbout(sample).length, 0);
console.log(
  `${dataset.concepts.length} concepts; ${dataset.train.length} pictures with ${asked} questions to train on, ` +
    `${dataset.heldOut.length} held out; vocabulary ${vocabSize}; in ${buildFolder}`,
);
