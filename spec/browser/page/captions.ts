/** The shipped model over HTTP. */
import { collectAnswer, setBackend } from '../../../src/index.ts';
import { wasm } from './backends.ts';
import { fetchBytes, fetchPretrained } from './httpFolder.ts';
import { type BrowserSpec, check } from './spec.ts';

export const MODEL = 'models/first-light';

/** A PNG of the model's kind and a JPEG. */
export const PICTURES = [
  'models/first-light/pictures/camera.fluent-3d.png',
  'models/first-light/pictures/party-popper.noto-v1.png',
  'spec/goldens/cogvlm/image1.jpg',
];

async function captions(): Promise<string> {
  const backend = await setBackend(await wasm({}));
  const cogvlm = await fetchPretrained(MODEL);
  const texts: string[] = [];
  for (const picture of PICTURES) {
    const { text, finished } = await collectAnswer(cogvlm.caption(await fetchBytes(picture)));
    check(
      finished === 'stop' && text !== '',
      `${picture}: ${JSON.stringify(text)}, not a caption with an end`,
    );
    texts.push(text);
  }
  check(texts[0] === 'camera', `the camera is called ${JSON.stringify(texts[0])}`);
  return `${JSON.stringify(texts)}\n${backend.describe()}`;
}

/** Its text begins with the captions as JSON, which are compared with Node's. */
export const CAPTIONS: BrowserSpec = {
  name: 'captions: the shipped model on wasm',
  where: 'page',
  settings: ['isolated', 'minified'],
  run: captions,
};
