/** How well a model does on pictures it was not trained on, and on the wrong pictures. */
import type { CogVLM } from '../../src/models/cogvlm/index.ts';
import { scope } from '../../src/tensor/index.ts';
import { answers, exactMatches } from '../../src/train/index.ts';
import type { Alignment } from './alignment.ts';
import { examExample, examPixels, type Lesson } from './lessons.ts';

export interface Score {
  readonly right: number;
  readonly of: number;
}

export interface ExamResult {
  readonly caption: Score;
  /** Captions of held-out pictures judged by the name of another picture. */
  readonly shuffledCaption: Score;
  readonly kind: Score;
  readonly color: Score;
  readonly captionByStyle: Readonly<Record<string, Score>>;
}

const MAX_NEW_TOKENS = 12;

/** Questions by their place in a lesson: the caption, then kind and colour. */
const QUESTIONS = { caption: 0, kind: 1, color: 2 } as const;

async function rightAnswers(model: CogVLM, lessons: readonly Lesson[], question: number): Promise<boolean[]> {
  const size = model.config.vision.imageSize;
  const examples = lessons.map((lesson) => examExample(lesson, question, size));
  return exactMatches(await answers(model, examples, MAX_NEW_TOKENS), examples);
}

const score = (right: readonly boolean[]): Score => ({
  right: right.filter(Boolean).length,
  of: right.length,
});

/** How often the caption whose embedding is nearest to the picture's mean feature is the right one. */
export function nearestCaptionScore(alignment: Alignment, lessons: readonly Lesson[]): Promise<Score> {
  return scope(async () => {
    const size = alignment.cogvlm.config.vision.imageSize;
    const nearest = await alignment.nearest(lessons.map((lesson) => examPixels(lesson, size)));
    return score(lessons.map(({ sample }, i) => sample.concept === nearest[i]));
  });
}

export async function captionScore(model: CogVLM, lessons: readonly Lesson[]): Promise<Score> {
  return score(await rightAnswers(model, lessons, QUESTIONS.caption));
}

export async function examine(model: CogVLM, lessons: readonly Lesson[]): Promise<ExamResult> {
  const withColor = lessons.filter(({ asked }) => asked.length > QUESTIONS.color);
  const caption = await rightAnswers(model, lessons, QUESTIONS.caption);
  // Every picture goes to another lesson, half the list away: the same pictures, the wrong truths.
  const half = Math.floor(lessons.length / 2);
  const shuffled = lessons.map((lesson, i) => ({
    ...lesson,
    sample: lessons[(i + half) % lessons.length].sample,
  }));
  const styles = [...new Set(lessons.map(({ sample }) => sample.style))].sort();
  return {
    caption: score(caption),
    shuffledCaption: await captionScore(model, shuffled),
    kind: score(await rightAnswers(model, lessons, QUESTIONS.kind)),
    color: score(await rightAnswers(model, withColor, QUESTIONS.color)),
    captionByStyle: Object.fromEntries(
      styles.map((style) => [style, score(caption.filter((_, i) => lessons[i].sample.style === style))]),
    ),
  };
}

export function percent({ right, of }: Score): string {
  return `${right}/${of} (${((100 * right) / of).toFixed(1)} %)`;
}
