/** How well a model does on pictures it was not trained on, and on the wrong pictures. */
import { type CogVLM, evaluate, type Score, scope } from 'cogvlm-ts';
import { scoreOf, shuffledControl } from 'cogvlm-ts/train';
import type { Alignment } from './alignment.ts';
import { examOf, examPixels, type Lesson } from './lessons.ts';

export interface ExamResult {
  readonly caption: Score;
  /** The same, each with the picture of another. */
  readonly shuffledCaption: Score;
  readonly kind: Score;
  readonly color: Score;
  readonly captionByStyle: Readonly<Record<string, Score>>;
}

const MAX_NEW_TOKENS = 12;

/** Questions by their place in a lesson: the caption, then kind and colour. */
const QUESTIONS = { caption: 0, kind: 1, color: 2 } as const;

const examined = (model: CogVLM, lessons: readonly Lesson[], question: number) =>
  examOf(lessons, question, model.config.vision.imageSize);

function rightAnswers(model: CogVLM, lessons: readonly Lesson[], question: number): Promise<boolean[]> {
  return evaluate(model, examined(model, lessons, question), { maxNewTokens: MAX_NEW_TOKENS });
}

/** How often the caption whose embedding is nearest to the picture's mean feature is the right one. */
export function nearestCaptionScore(alignment: Alignment, lessons: readonly Lesson[]): Promise<Score> {
  return scope(async () => {
    const size = alignment.cogvlm.config.vision.imageSize;
    const nearest = await alignment.nearest(lessons.map((lesson) => examPixels(lesson, size)));
    return scoreOf(lessons.map(({ sample }, i) => sample.concept === nearest[i]));
  });
}

export async function captionScore(model: CogVLM, lessons: readonly Lesson[]): Promise<Score> {
  return scoreOf(await rightAnswers(model, lessons, QUESTIONS.caption));
}

export async function examine(model: CogVLM, lessons: readonly Lesson[]): Promise<ExamResult> {
  const withColor = lessons.filter(({ asked }) => asked.length > QUESTIONS.color);
  const caption = await rightAnswers(model, lessons, QUESTIONS.caption);
  const shuffled = shuffledControl(examined(model, lessons, QUESTIONS.caption));
  const styles = [...new Set(lessons.map(({ sample }) => sample.style))].sort();
  return {
    caption: scoreOf(caption),
    shuffledCaption: scoreOf(await evaluate(model, shuffled, { maxNewTokens: MAX_NEW_TOKENS })),
    kind: scoreOf(await rightAnswers(model, lessons, QUESTIONS.kind)),
    color: scoreOf(await rightAnswers(model, withColor, QUESTIONS.color)),
    captionByStyle: Object.fromEntries(
      styles.map((style) => [style, scoreOf(caption.filter((_, i) => lessons[i].sample.style === style))]),
    ),
  };
}

export function percent({ right, of }: Score): string {
  return `${right}/${of} (${((100 * right) / of).toFixed(1)} %)`;
}
