/**
 * The text around a question, as the released Hugging Face code writes it for each `template_version`:
 *
 *   base   the query alone; history is dropped. An empty query asks a base model for a caption.
 *   chat   Question: {q} Answer: {a}⏎ … Question: {query} Answer:
 *   vqa    Question: {q} Short answer: {a}⏎ … Question: {query} Short answer:
 *
 * The older SwissArmyTransformer code calls this `chat` "chat_old", and drops the history of `vqa`.
 */

export const PROMPT_TEMPLATES = ['base', 'chat', 'vqa'] as const;
export type PromptTemplate = (typeof PROMPT_TEMPLATES)[number];

/** One finished exchange about the same picture. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
}

const ANSWER_CUE = { chat: 'Answer:', vqa: 'Short answer:' } as const;

/**
 * The prompt of a query after the turns before it. The picture is not part of the text: its places stand in front.
 * @throws Error where the template is none of the three
 */
export function formatPrompt(template: PromptTemplate, query: string, history: readonly Turn[] = []): string {
  if (!PROMPT_TEMPLATES.includes(template)) {
    throw new Error(
      `formatPrompt: template is ${JSON.stringify(template)}, expected ${PROMPT_TEMPLATES.join(', ')}`,
    );
  }
  if (template === 'base') return query;
  const cue = ANSWER_CUE[template];
  const turns = history.map(({ question, answer }) => `Question: ${question} ${cue} ${answer}\n`);
  return `${turns.join('')}Question: ${query} ${cue}`;
}
