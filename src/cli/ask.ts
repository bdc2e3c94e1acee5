/** cogvlm ask IMAGE "question" */
import { type Command, Option } from 'commander';
import { PROMPT_TEMPLATES, type PromptTemplate } from '../data/index.ts';
import { readPicture, showAnswer } from './answer.ts';
import { type Session, UsageError } from './io.ts';
import { type AnswerCliOptions, addAnswerOptions, loadModel } from './options.ts';

interface AskCliOptions extends AnswerCliOptions {
  readonly template?: PromptTemplate;
}

export function addAsk(program: Command, session: Session): void {
  const command = program
    .command('ask')
    .summary('answer a question about a picture')
    .description('Answers a question about a PNG or JPEG picture; the text appears as it is generated.')
    .argument('<image>', 'picture file')
    .argument('<question>', 'the question, in quotes')
    .addOption(
      new Option(
        '--template <name>',
        "the words around the question (default: the model's own; vqa for a base model)",
      ).choices(PROMPT_TEMPLATES),
    )
    .option('--json', 'one line of JSON');
  addAnswerOptions(command).action((image: string, question: string, options: AskCliOptions) =>
    ask(session, image, question, options),
  );
}

async function ask(session: Session, image: string, question: string, options: AskCliOptions): Promise<void> {
  // Without words around it a base model may be asked for nothing: it goes on from the picture alone.
  if (question.trim() === '' && options.template !== 'base')
    throw new UsageError('ask: the question is empty; caption describes a picture without one');
  const picture = await readPicture(image);
  const cogvlm = await loadModel(session, options);
  const { maxNewTokens, backend, template = cogvlm.askTemplate } = options;
  await showAnswer(session, cogvlm.ask(picture, question, { maxNewTokens, template }), {
    json: options.json === true,
    label: '',
    about: { image, question, template, backend },
  });
}
