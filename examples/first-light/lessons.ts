/** What the model is shown in a step of each stage. */
import type { Example, Rng } from 'cogvlm-ts';
import { pixelValues, resizeBicubic, type Tokenizer } from 'cogvlm-ts/data';
import { type Dataset, examplesAt } from 'cogvlm-ts/train';
import type { AlignmentExample } from './alignment.ts';
import { type Augmentation, augmentInto } from './augment.ts';
import { type QuestionAnswer, questionsAbout, type Sample } from './dataset.ts';
import type { HintExample } from './hints.ts';
import { alignmentStage, hintStage, languageStage, visionStage } from './recipe.ts';
import { promptText } from './texts.ts';

type Encode = Pick<Tokenizer, 'encode'>;

/** A question and answer as token ids; the empty question is the empty prompt. */
function encoded(
  tokenizer: Encode,
  { question, answer }: QuestionAnswer,
): Pick<Example, 'prompt' | 'answer'> {
  const prompt = promptText(question);
  return { prompt: prompt === '' ? [] : tokenizer.encode(prompt), answer: tokenizer.encode(answer) };
}

/** One sample with its questions in token ids, ready to be drawn from. */
export interface Lesson {
  readonly sample: Sample;
  /** The caption first. */
  readonly asked: readonly Pick<Example, 'prompt' | 'answer'>[];
}

export function makeLessons(tokenizer: Encode, samples: readonly Sample[]): Lesson[] {
  return samples.map((sample) => ({
    sample,
    asked: questionsAbout(sample).map((asked) => encoded(tokenizer, asked)),
  }));
}

/** The caption of each concept in token ids. */
export function captionIds(lessons: readonly Lesson[], concepts: number): (readonly number[])[] {
  const byConcept = new Map(lessons.map(({ sample, asked }) => [sample.concept, asked[0].answer]));
  return Array.from({ length: concepts }, (_, c) => byConcept.get(c) ?? []);
}

const pick = <T>(items: readonly T[], rng: Rng): T => items[rng.integer(items.length)];

function pickAsked({ asked }: Lesson, questionRate: number, rng: Rng): Pick<Example, 'prompt' | 'answer'> {
  return rng.uniform() < questionRate ? asked[1 + rng.integer(asked.length - 1)] : asked[0];
}

/** Lines of text; many begin with a hint, the shuffled pieces of what the picture would show. */
export function languageBatch(lessons: readonly Lesson[], rng: Rng): Example[] {
  return Array.from({ length: languageStage.batchSize }, () => {
    const lesson = pick(lessons, rng);
    const { prompt, answer } = pickAsked(lesson, languageStage.questionRate, rng);
    if (rng.uniform() >= languageStage.hintRate) return { prompt, answer };
    const shown = [...lesson.asked[0].answer, ...(lesson.asked[2]?.answer ?? [])];
    const again = Array.from({ length: rng.integer(4) }, () => pick(shown, rng));
    const others = Array.from({ length: rng.integer(languageStage.hintNoise + 1) }, () =>
      pick(pick(lessons, rng).asked[0].answer, rng),
    );
    return { prompt: [...rng.shuffle([...shown, ...again, ...others]), ...prompt], answer };
  });
}

/** A quarter larger than the model sees them, so that taking a part of one needs no further filtering. */
export function shrunk(samples: readonly Sample[], imageSize: number): Sample[] {
  const side = Math.min(samples[0].size, Math.round(1.25 * imageSize));
  return samples.map((sample) => {
    const { rgb: data, size } = sample;
    return {
      ...sample,
      rgb: resizeBicubic({ width: size, height: size, data }, side, side).data,
      size: side,
    };
  });
}

interface ShownLesson {
  readonly lesson: Lesson;
  readonly pixels: Float32Array;
}

/** The lessons with their pictures, each changed a little whenever it is shown. */
function changedPictures(
  lessons: readonly Lesson[],
  imageSize: number,
  how: Augmentation,
): Dataset<ShownLesson> {
  return {
    length: lessons.length,
    example(index, rng) {
      const pixels = new Float32Array(3 * imageSize * imageSize);
      augmentInto(pixels, 0, imageSize, lessons[index].sample, how, rng);
      return { lesson: lessons[index], pixels };
    },
  };
}

/** Concepts with their caption, or with the question what kind of thing they are. */
export function hintBatch(lessons: readonly Lesson[], rng: Rng): HintExample[] {
  return Array.from({ length: hintStage.batchSize }, () => {
    const { sample, asked } = pick(lessons, rng);
    return { ...asked[rng.uniform() < hintStage.questionRate ? 1 : 0], concept: sample.concept };
  });
}

/** Lays each picture over its neighbour in the batch, with at least half of its own (mixup, arXiv 1710.09412). */
function laidOver(
  batch: readonly ShownLesson[],
  mixup: number,
  rng: Rng,
): { readonly own: Lesson; readonly other: Lesson; readonly share: number; readonly pixels: Float32Array }[] {
  return batch.map(({ lesson: own, pixels }, i) => {
    const { lesson: other, pixels: under } = batch[(i + 1) % batch.length];
    const drawn = symmetricBeta(mixup, rng);
    const share = Math.max(drawn, 1 - drawn);
    return { own, other, share, pixels: pixels.map((value, j) => share * value + (1 - share) * under[j]) };
  });
}

/** Pictures laid over each other, with both concepts. */
export async function alignmentBatch(
  lessons: readonly Lesson[],
  imageSize: number,
  indices: readonly number[],
  rng: Rng,
): Promise<AlignmentExample[]> {
  const pictures = changedPictures(lessons, imageSize, alignmentStage.augmentation);
  const batch = await examplesAt(pictures, indices, rng);
  return laidOver(batch, alignmentStage.mixup, rng).map(({ own, other, share, pixels }) => ({
    pixels,
    share,
    concepts: [own.sample.concept, other.sample.concept],
  }));
}

/** A number from Beta(a, a), 0 < a ≤ 1 (Jöhnk 1964: u^(1/a) / (u^(1/a) + v^(1/a)) where the sum is at most 1). */
function symmetricBeta(a: number, rng: Rng): number {
  for (;;) {
    const x = rng.uniform() ** (1 / a);
    const y = rng.uniform() ** (1 / a);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

/**
 * Pictures with a caption or a question. Those to be captioned are laid over each other, and the caption asked for is that
 * of one of the two, drawn by its share: on average the loss is mixup's, in one pass.
 */
export async function visionBatch(
  lessons: readonly Lesson[],
  imageSize: number,
  indices: readonly number[],
  rng: Rng,
): Promise<Example[]> {
  const pictures = changedPictures(lessons, imageSize, visionStage.augmentation);
  const batch = await examplesAt(pictures, indices, rng);
  return laidOver(batch, visionStage.mixup, rng).map(({ own, other, share, pixels }, i) => {
    const { asked } = own;
    if (rng.uniform() < visionStage.questionRate) {
      return { ...asked[1 + rng.integer(asked.length - 1)], pixels: batch[i].pixels };
    }
    const shown = rng.uniform() < share ? own : other;
    return { ...shown.asked[0], pixels };
  });
}

/** A picture as `cogvlm caption` sees it. @shape → [3·S·S] */
export function examPixels({ sample: { rgb: data, size } }: Lesson, imageSize: number): Float32Array {
  return pixelValues({ width: size, height: size, data }, imageSize);
}

/** Pictures and one question about each. */
export function examOf(lessons: readonly Lesson[], question: number, imageSize: number): Dataset {
  return {
    length: lessons.length,
    example: (index) => ({
      ...lessons[index].asked[question],
      pixels: examPixels(lessons[index], imageSize),
    }),
  };
}
