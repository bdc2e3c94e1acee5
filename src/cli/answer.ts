/** Showing one answer as it is generated, or as one line of JSON when it is complete. */
import { decodeImage, type RgbImage } from '../data/index.ts';
import { readBytes } from '../data/node.ts';
import { type AnswerStream, collectAnswer } from '../models/cogvlm/index.ts';
import type { Session } from './io.ts';

/** @throws Error naming the file and the reason; ImageError */
export async function readPicture(path: string): Promise<RgbImage> {
  return decodeImage(await readBytes(path), { label: path });
}

export interface ShownAnswer {
  readonly json: boolean;
  /** What stands in front of the text. */
  readonly label: string;
  /** Fields of the JSON line beside text, tokens, finished and seconds. */
  readonly about: Readonly<Record<string, unknown>>;
}

export async function showAnswer(session: Session, stream: AnswerStream, how: ShownAnswer): Promise<void> {
  const begun = performance.now();
  if (how.json) {
    const { text, tokens, finished } = await collectAnswer(stream);
    const seconds = (performance.now() - begun) / 1000;
    const line = { ...how.about, text, tokens: tokens.length, finished, seconds };
    session.out(`${JSON.stringify(line)}\n`);
    return;
  }
  session.out(how.label);
  try {
    await collectAnswer(stream, (piece) => session.out(piece));
  } finally {
    session.out('\n');
  }
}
