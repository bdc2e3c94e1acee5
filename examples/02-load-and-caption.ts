/**
 * A model that is read from its folder and says what is in a picture.
 *
 *   npx tsx examples/02-load-and-caption.ts [MODEL PICTURE]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectAnswer, setBackend } from 'cogvlm-ts';
import { loadPretrained, modelFolder } from 'cogvlm-ts/node';

// A small model comes with the package and has a name; any other is the path of a folder in the released layout.
const [name = 'first-light', file = join(modelFolder('first-light'), 'pictures/camera.fluent-3d.png')] =
  process.argv.slice(2);

await setBackend('wasm');
const cogvlm = await loadPretrained(name);
const picture = await readFile(file); // PNG or JPEG

const { text: caption } = await collectAnswer(cogvlm.caption(picture));
console.log('caption:', caption);

// Piece by piece, as it is generated.
for await (const piece of cogvlm.ask(picture, 'what kind of thing is this?')) console.log('piece:', piece);
