/** Data: pictures, text and safetensors, from bytes. What reads and writes files is in `node.ts`. */
export {
  type Box,
  boundingBox,
  boxFromPixels,
  boxIoU,
  boxToPixels,
  formatGrounding,
  type Grounding,
  type GroundingFault,
  type ParsedGrounding,
  type PictureSize,
  type Point,
  parseGrounding,
} from './boxes.ts';
export { type DecodeImageOptions, decodeImage, imageFormat } from './image/decode.ts';
export { readJpegStructure } from './image/jpegMarkers.ts';
export { CLIP_MEAN, CLIP_STD, pixelValues } from './image/pixelValues.ts';
export { encodePng } from './image/png.ts';
export { resizeBicubic } from './image/resize.ts';
export { ImageError, type ImageFormat, type RgbImage } from './image/rgbImage.ts';
export { formatPrompt, PROMPT_TEMPLATES, type PromptTemplate, type Turn } from './prompt.ts';
export { reasonOf } from './reason.ts';
export { Checkpoint, type CheckpointFolder, openCheckpoint } from './safetensors/checkpoint.ts';
export { SafetensorsError } from './safetensors/error.ts';
export { roundToBf16, widenBf16 } from './safetensors/halfFloat.ts';
export { type LoadedTensor, openSafetensors, SafetensorsFile } from './safetensors/read.ts';
export { type ByteSource, bytesSource } from './safetensors/source.ts';
export { type Metadata, type TensorEntry, type TensorSpec, writeSafetensors } from './safetensors/write.ts';
export { Tokenizer, TokenizerError, TokenStream } from './tokenizer.ts';
