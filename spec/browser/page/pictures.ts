/** PNG and JPEG files decoded in a browser, against PIL. */
import { decodeImage } from '../../../src/data/index.ts';
import { fetchBytes, fetchJson } from './httpFolder.ts';
import { type BrowserSpec, check } from './spec.ts';

interface Manifest {
  readonly files: readonly {
    readonly file: string;
    readonly width: number;
    readonly height: number;
    readonly offset: number;
  }[];
}

/** Levels of grey between PIL's inverse DCT and ours. */
const JPEG_LEVELS = 4;

async function decodesLikePil(): Promise<string> {
  const folder = 'spec/goldens/images';
  const { files } = await fetchJson<Manifest>(`${folder}/manifest.json`);
  const expected = await fetchBytes(`${folder}/expected.rgb`);
  for (const { file, width, height, offset } of files) {
    const image = decodeImage(await fetchBytes(`${folder}/${file}`), { label: file });
    const size = `${image.width} × ${image.height}`;
    check(size === `${width} × ${height}`, `${file}: ${size}, expected ${width} × ${height}`);
    const allowed = file.endsWith('.png') ? 0 : JPEG_LEVELS;
    let worst = 0;
    image.data.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(value - expected[offset + i]));
    });
    check(worst <= allowed, `${file}: off by ${worst}, allowed ${allowed}`);
  }
  const pngs = files.filter(({ file }) => file.endsWith('.png')).length;
  return `${pngs} PNG and ${files.length - pngs} JPEG files`;
}

export const pictureSpecs: readonly BrowserSpec[] = [
  {
    name: 'pictures: decoded as PIL decodes them',
    where: 'page',
    settings: ['isolated'],
    run: decodesLikePil,
  },
];
