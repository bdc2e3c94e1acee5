/**
 * The ways each thing is drawn: which npm package holds the art, under which licence, and how one picture is found in it.
 * Seven styles may be passed on with credit (CREDITS.md); two share-alike ones are only trained on.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** An art package. `form` says how its pictures are stored: Iconify's JSON of SVG bodies, or one WebP per code point. */
export interface Style {
  readonly name: string;
  readonly package: string;
  readonly form: 'iconify' | 'webp';
  readonly license: 'Apache-2.0' | 'MIT' | 'CC-BY-4.0' | 'CC-BY-SA-4.0';
  readonly author: string;
  readonly link: string;
}

export const styles: readonly Style[] = [
  {
    name: 'noto',
    package: '@iconify-json/noto',
    form: 'iconify',
    license: 'Apache-2.0',
    author: 'Google (Noto Emoji)',
    link: 'https://github.com/googlefonts/noto-emoji',
  },
  {
    name: 'noto-v1',
    package: '@iconify-json/noto-v1',
    form: 'iconify',
    license: 'Apache-2.0',
    author: 'Google (Noto Emoji, before 2017)',
    link: 'https://github.com/googlefonts/noto-emoji',
  },
  {
    name: 'twemoji',
    package: '@iconify-json/twemoji',
    form: 'iconify',
    license: 'CC-BY-4.0',
    author: 'Twitter and contributors (Twemoji)',
    link: 'https://github.com/jdecked/twemoji',
  },
  {
    name: 'fluent-flat',
    package: '@iconify-json/fluent-emoji-flat',
    form: 'iconify',
    license: 'MIT',
    author: 'Microsoft (Fluent UI Emoji, flat)',
    link: 'https://github.com/microsoft/fluentui-emoji',
  },
  {
    name: 'fluent-3d',
    package: '@lobehub/fluent-emoji-3d',
    form: 'webp',
    license: 'MIT',
    author: 'Microsoft (Fluent UI Emoji, 3D), packaged by LobeHub',
    link: 'https://github.com/lobehub/fluent-emoji',
  },
  {
    name: 'emojione',
    package: '@iconify-json/emojione',
    form: 'iconify',
    license: 'CC-BY-4.0',
    author: 'Emoji One 2 (EmojiTwo)',
    link: 'https://github.com/EmojiTwo/emojitwo',
  },
  {
    name: 'fxemoji',
    package: '@iconify-json/fxemoji',
    form: 'iconify',
    license: 'Apache-2.0',
    author: 'Mozilla (Firefox OS Emoji)',
    link: 'https://github.com/mozilla/fxemoji',
  },
];

/** One thing to look up: its label and its code points as lower-case hexadecimal without variation selectors. */
export interface EmojiKey {
  readonly label: string;
  readonly hexcode: string;
}

/** Looks a picture up: SVG text or WebP bytes as sharp takes them, or undefined where the style never drew it. */
export type PictureFinder = (key: EmojiKey) => Buffer | undefined;

interface IconifyIcon {
  readonly body: string;
  readonly left?: number;
  readonly top?: number;
  readonly width?: number;
  readonly height?: number;
}

interface IconifySet {
  readonly icons: Readonly<Record<string, IconifyIcon>>;
  readonly aliases?: Readonly<Record<string, { readonly parent: string }>>;
  readonly width?: number;
  readonly height?: number;
}

const require = createRequire(import.meta.url);

const readPackageJson = <T>(path: string): T => JSON.parse(readFileSync(require.resolve(path), 'utf8')) as T;

const dropVariationSelectors = (hexcode: string): string => hexcode.toLowerCase().replaceAll('-fe0f', '');

const slug = (label: string): string => label.toLowerCase().replace(/[^a-z0-9]+/g, '-');

/**
 * emojibase's English entries by label: what turns a caption into code points.
 *
 * @throws Error where a label is unknown to emojibase.
 */
export function emojiKeys(labels: readonly string[]): EmojiKey[] {
  const entries = readPackageJson<{ label: string; hexcode: string }[]>('emojibase-data/en/data.json');
  const hexcodes = new Map(entries.map((entry) => [entry.label, dropVariationSelectors(entry.hexcode)]));
  return labels.map((label) => {
    const hexcode = hexcodes.get(label);
    if (hexcode === undefined)
      throw new Error(`emojiKeys(labels): '${label}' is not an English emojibase label`);
    return { label, hexcode };
  });
}

/** Iconify's table from code points to names; empty for the packages that come without one. */
function namesByHexcode(packageName: string): Map<string, string> {
  const chars = readPackageJson<Record<string, string>>(`${packageName}/chars.json`);
  return new Map(Object.entries(chars).map(([hexcode, name]) => [dropVariationSelectors(hexcode), name]));
}

function iconifyFinder(style: Style): PictureFinder {
  const set = readPackageJson<IconifySet>(`${style.package}/icons.json`);
  const own = namesByHexcode(style.package);
  // Three packages have no code points: their pictures go by the Unicode name, which Noto's table also knows.
  const noto = namesByHexcode('@iconify-json/noto');
  return ({ label, hexcode }) => {
    const guesses = [own.get(hexcode), slug(label), noto.get(hexcode)].filter((name) => name !== undefined);
    // Firefox OS writes the same names without hyphens.
    const names =
      style.name === 'fxemoji' ? [...guesses, ...guesses.map((n) => n.replaceAll('-', ''))] : guesses;
    for (const name of names) {
      const icon = set.icons[name] ?? set.icons[set.aliases?.[name]?.parent ?? ''];
      if (icon === undefined) continue;
      const width = icon.width ?? set.width ?? 16;
      const height = icon.height ?? set.height ?? 16;
      const viewBox = `${icon.left ?? 0} ${icon.top ?? 0} ${width} ${height}`;
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${viewBox}" width="256" height="256">${icon.body}</svg>`;
      return Buffer.from(svg);
    }
    return undefined;
  };
}

function webpFinder(style: Style): PictureFinder {
  const folder = join(dirname(require.resolve(`${style.package}/package.json`)), 'assets');
  return ({ hexcode }) => {
    for (const file of [`${hexcode}.webp`, `${hexcode}-fe0f.webp`]) {
      try {
        return readFileSync(join(folder, file));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      }
    }
    return undefined;
  };
}

/** Opens a style's package. */
export function openStyle(style: Style): PictureFinder {
  return style.form === 'webp' ? webpFinder(style) : iconifyFinder(style);
}
