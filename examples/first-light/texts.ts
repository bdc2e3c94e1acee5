/** The sentences of this example: what the tokenizer is trained on and what the language model reads in its first step. */
import type { Dataset, QuestionAnswer } from './dataset.ts';
import { questionsAbout } from './dataset.ts';

/** The prompt around a question, as CogVLM's `vqa` template writes it; the empty question stays empty (`base`). */
export function promptText(question: string): string {
  return question === '' ? '' : `Question: ${question} Short answer:`;
}

/** Every different question and answer of the training pictures, each once. */
export function trainingQuestions(dataset: Pick<Dataset, 'train'>): QuestionAnswer[] {
  const seen = new Map<string, QuestionAnswer>();
  for (const asked of dataset.train.flatMap(questionsAbout))
    seen.set(`${asked.question}\n${asked.answer}`, asked);
  return [...seen.values()];
}

/** Prompts and answers of all training pictures as separate lines, because they are encoded separately. */
export function trainingTexts(dataset: Pick<Dataset, 'train'>): string[] {
  return dataset.train.flatMap(questionsAbout).flatMap(({ question, answer }) => {
    return question === '' ? [answer] : [promptText(question), answer];
  });
}
