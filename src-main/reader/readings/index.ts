/** Every kind of reading: one file each, and one line here. The service asks for them by these names. */
import { bertFolder } from './bert-folder.ts';
import { fileStamps } from './file-stamps.ts';
import { imageFacts } from './image-facts.ts';
import { imageHash } from './image-hash.ts';
import { images } from './images.ts';
import { picture } from './picture.ts';
import { preview } from './preview.ts';
import { textLines } from './text-lines.ts';
import { unpackPlace } from './unpack.ts';
import { weightsIndex, weightsTensor } from './weights.ts';
import { writeDataset } from './write-dataset.ts';

export const readings = {
  'bert-folder': bertFolder,
  'file-stamps': fileStamps,
  'image-facts': imageFacts,
  'image-hash': imageHash,
  images,
  picture,
  preview,
  'text-lines': textLines,
  unpack: unpackPlace,
  'weights-index': weightsIndex,
  'weights-tensor': weightsTensor,
  'write-dataset': writeDataset,
};

type Readings = typeof readings;
export type ReadingName = keyof Readings;
export type ReadingInput<K extends ReadingName> = Parameters<Readings[K]>[0];
/** What it tells before its end, where it tells any. */
export type ReadingPart<K extends ReadingName> =
  Parameters<Readings[K]> extends [unknown, (part: infer P) => void] ? P : never;
export type ReadingOutput<K extends ReadingName> = Awaited<ReturnType<Readings[K]>>;
