/** Reading PNG and JPEG against PIL, and refusing what cannot be read. */

import fc from 'fast-check';
import { encode as encodeWithFastPng } from 'fast-png';
import { zlibSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import {
  decodeImage,
  encodePng,
  ImageError,
  imageFormat,
  type RgbImage,
} from '../../src/data/image/index.ts';
import { difference, golden, imageFiles } from './imageGoldens.ts';

const pngs = imageFiles.filter(({ file }) => file.endsWith('.png'));
const jpegs = imageFiles.filter(({ file }) => file.endsWith('.jpg'));
const file = (name: string) => golden(`images/${name}`);

describe('decodeImage reads what PIL reads', () => {
  it.each(pngs)('$file ($mode): every byte', ({ file: name, pixels }) => {
    const image = decodeImage(file(name));
    expect([image.width, image.height]).toEqual([pixels.width, pixels.height]);
    expect(difference(image.data, pixels.data)).toEqual({ max: 0, mean: 0 });
  });

  // The inverse DCT alone may differ. Repeated instead of interpolated chroma differs by 80 and more here.
  it.each(jpegs)('$file ($mode): to the rounding of the inverse DCT', ({ file: name, pixels }) => {
    const image = decodeImage(file(name));
    expect([image.width, image.height]).toEqual([pixels.width, pixels.height]);
    const { max, mean } = difference(image.data, pixels.data);
    expect(max).toBeLessThanOrEqual(4);
    expect(mean).toBeLessThanOrEqual(0.35);
  });

  it('a view into a larger buffer', () => {
    const { file: name, pixels } = pngs[0];
    const bytes = file(name);
    const padded = new Uint8Array(bytes.length + 100).fill(7);
    padded.set(bytes, 33);
    expect(decodeImage(padded.subarray(33, 33 + bytes.length)).data).toEqual(pixels.data);
  });

  it('leaves its input alone', () => {
    for (const { file: name } of imageFiles) {
      const bytes = file(name);
      decodeImage(bytes);
      expect(bytes).toEqual(file(name));
    }
  });

  it('a JPEG with application data, fill bytes and bytes after its end', () => {
    const bytes = file('ycc-420.jpg');
    const exif = [0xff, 0xe1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0, 0xff, 0xfe, 0, 4, 0xff, 0xd9, 0xff];
    const dressed = Uint8Array.of(...bytes.subarray(0, 2), ...exif, ...bytes.subarray(2), 1, 2, 3);
    expect(decodeImage(dressed)).toEqual(decodeImage(bytes));
  });
});

describe('imageFormat', () => {
  it('looks at the first bytes', () => {
    expect(imageFormat(file('grey.jpg'))).toBe('JPEG');
    expect(imageFormat(file('rgb-8.png'))).toBe('PNG');
    expect(imageFormat(new TextEncoder().encode('GIF89a..'))).toBeUndefined();
    expect(imageFormat(new Uint8Array(0))).toBeUndefined();
  });
});

describe('encodePng', () => {
  const pictures = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }))
    .chain(([width, height]) =>
      fc
        .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
        .map((data): RgbImage => ({ width, height, data })),
    );

  it('is undone by decodeImage', () => {
    fc.assert(
      fc.property(pictures, (image) => {
        expect(decodeImage(encodePng(image))).toEqual(image);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses data of the wrong length', () => {
    expect(() => encodePng({ width: 2, height: 2, data: new Uint8Array(11) })).toThrow(
      'encodePng: image.data has 11 bytes, expected 2 x 2 x 3 = 12',
    );
  });
});

describe('decodeImage refuses', () => {
  const refused = (bytes: Uint8Array, options?: Parameters<typeof decodeImage>[1]): string => {
    try {
      decodeImage(bytes, options);
    } catch (error) {
      expect(error).toBeInstanceOf(ImageError);
      return (error as ImageError).message;
    }
    throw new Error('decoded');
  };

  it('what is neither PNG nor JPEG, naming the file', () => {
    expect(refused(new TextEncoder().encode('GIF89a'), { label: 'cat.png' })).toBe(
      'image "cat.png": unknown format, expected PNG or JPEG; the file (6 bytes) begins with 47 49 46 38 39 61',
    );
    expect(refused(new Uint8Array(0))).toBe('image: empty file, expected PNG or JPEG');
  });

  it.each(imageFiles)('$file cut anywhere before the end of its pixels', ({ file: name }) => {
    const bytes = file(name);
    // A PNG's last 12 bytes are IEND, which PIL does without.
    const whole = name.endsWith('.png') ? bytes.length - 12 : bytes.length;
    for (const part of [0.1, 0.3, 0.5, 0.9]) {
      expect(refused(bytes.subarray(0, Math.floor(whole * part)))).toMatch(
        /truncated|damaged|cannot decode|unknown format/,
      );
    }
    expect(refused(bytes.subarray(0, whole - 1), { label: 'x' })).toMatch(
      /^(PNG|JPEG) image "x": truncated: /,
    );
  });

  it('a PNG with a flipped bit', () => {
    const bytes = file('rgb-8.png');
    bytes[60] ^= 4;
    expect(refused(bytes)).toMatch(
      'PNG image: damaged data: checksum of chunk IDAT at byte 33 does not match',
    );
  });

  it('any damage by an ImageError and nothing else', () => {
    const names = imageFiles.map(({ file: name }) => name);
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.integer({ min: 1, max: 255 }), (name, at, flip) => {
        const bytes = file(name);
        bytes[at % bytes.length] ^= flip;
        try {
          const image = decodeImage(bytes, { maxPixels: 100_000 });
          expect(image.data.length).toBe(image.width * image.height * 3);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
        }
      }),
      { numRuns: 400 },
    );
  });

  /** A PNG of 8-bit RGB that declares any size over any zlib stream. */
  const png = (width: number, height: number, stream: Uint8Array): Uint8Array => {
    const donor = encodeWithFastPng({ width: 1, height: 1, data: new Uint8Array(3), channels: 3, depth: 8 });
    const ihdr = donor.slice(12, 29);
    new DataView(ihdr.buffer).setUint32(4, width);
    new DataView(ihdr.buffer).setUint32(8, height);
    const idat = Uint8Array.of(...new TextEncoder().encode('IDAT'), ...stream);
    const parts: number[] = [...donor.subarray(0, 8)];
    for (const body of [ihdr, idat]) parts.push(...uint32(body.length - 4), ...body, ...uint32(crc32(body)));
    return Uint8Array.from(parts);
  };
  const uint32 = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
  const crc32 = (bytes: Uint8Array): number => {
    let crc = -1;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  };

  it('a declared size over maxPixels, from the header alone', () => {
    const huge = png(100_000, 100_000, new Uint8Array(0));
    expect(refused(huge)).toBe(
      'PNG image: declared size 100000 x 100000 = 10000000000 pixels is over the limit of 89478485 (maxPixels)',
    );
    expect(refused(file('rgb-8.png'), { maxPixels: 100 })).toMatch('declared size 13 x 11 = 143 pixels');
    const jpeg = file('ycc-420.jpg');
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    jpeg.set([0xff, 0xff, 0xff, 0xff], frame + 5);
    // Nothing after the frame header is looked at: the rest of the file may be missing.
    expect(refused(jpeg.subarray(0, frame + 19))).toBe(
      'JPEG image: declared size 65535 x 65535 = 4294836225 pixels is over the limit of 89478485 (maxPixels)',
    );
  });

  it('a size without pixels', () => {
    expect(refused(png(0, 5, new Uint8Array(0)))).toBe('PNG image: declared size 0 x 5 has no pixels');
  });

  it('a size the file is too short for, without making room for it', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(refused(png(9000, 9000, zlibSync(new Uint8Array(100))))).toMatch(
      /truncated: IDAT holds at most \d+ bytes/,
    );
    const jpeg = file('ycc-420.jpg');
    const frame = jpeg.findIndex((byte, i) => byte === 0xff && jpeg[i + 1] === 0xc0);
    jpeg.set([0x20, 0, 0x20, 0], frame + 5);
    expect(refused(jpeg)).toMatch('JPEG image: truncated: declared size 8192 x 8192 has 1572864 blocks');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16e6);
  });

  it('nothing in a PNG that inflates far beyond its size: it stops when the picture is full', () => {
    const bomb = png(2, 1, zlibSync(new Uint8Array(64e6)));
    const start = process.memoryUsage().arrayBuffers;
    expect(decodeImage(bomb)).toEqual({ width: 2, height: 1, data: new Uint8Array(6) });
    expect(process.memoryUsage().arrayBuffers - start).toBeLessThan(16e6);
  });

  it('kinds of JPEG that are not supported, saying which', () => {
    const arithmetic = file('ycc-420.jpg');
    const frame = arithmetic.findIndex((byte, i) => byte === 0xff && arithmetic[i + 1] === 0xc0);
    arithmetic[frame + 1] = 0xc9;
    expect(refused(arithmetic)).toMatch('JPEG image: unsupported coding SOF9');
    const deep = file('ycc-420.jpg');
    deep[frame + 4] = 12;
    expect(refused(deep)).toBe('JPEG image: unsupported: 12 bits per sample, expected 8');
  });

  it('a limit that is no limit', () => {
    expect(refused(file('rgb-8.png'), { maxPixels: Number.NaN })).toBe(
      'decodeImage: maxPixels is NaN, expected at least 1',
    );
  });
});
