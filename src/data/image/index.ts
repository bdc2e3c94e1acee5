/** Pictures: reading PNG and JPEG, Pillow's bicubic resize, and the vision tower's pixel values. */

export { type DecodeImageOptions, decodeImage, imageFormat } from './decode.ts';
export { CLIP_MEAN, CLIP_STD, pixelValues } from './pixelValues.ts';
export { encodePng } from './png.ts';
export { resizeBicubic } from './resize.ts';
export { DEFAULT_MAX_PIXELS, ImageError, type ImageFormat, type RgbImage } from './rgbImage.ts';
