/** cogvlm caption IMAGE… */
import type { Command } from 'commander';
import { readPicture, showAnswer } from './answer.ts';
import { fail, type Session } from './io.ts';
import { type AnswerCliOptions, addAnswerOptions, loadModel } from './options.ts';

interface CaptionCliOptions extends AnswerCliOptions {
  readonly prompt?: string;
}

export function addCaption(program: Command, session: Session): void {
  const command = program
    .command('caption')
    .summary('describe pictures')
    .description('Describes PNG and JPEG pictures; the text appears as it is generated.')
    .argument('<image...>', 'picture files')
    .option('--prompt <text>', 'what to ask for (default: nothing for a base model, else for a description)')
    .option('--json', 'one line of JSON per picture');
  addAnswerOptions(command).action((images: string[], options: CaptionCliOptions) =>
    caption(session, images, options),
  );
}

async function caption(
  session: Session,
  images: readonly string[],
  options: CaptionCliOptions,
): Promise<void> {
  const cogvlm = await loadModel(session, options);
  const { maxNewTokens, prompt, backend } = options;
  const captionOptions = { maxNewTokens, ...(prompt === undefined ? {} : { prompt }) };
  for (const image of images) {
    try {
      const stream = cogvlm.caption(await readPicture(image), captionOptions);
      const label = images.length === 1 ? '' : `${image}: `;
      await showAnswer(session, stream, {
        json: options.json === true,
        label,
        about: { image, prompt, backend },
      });
    } catch (error) {
      fail(session, error); // the other pictures are still described
    }
  }
}
