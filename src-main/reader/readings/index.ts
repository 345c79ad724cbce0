/** Every kind of reading: one file each, and one line here. The service asks for them by these names. */
import { imageFacts } from './image-facts.ts';
import { picture } from './picture.ts';
import { weightsIndex, weightsTensor } from './weights.ts';

export const readings = {
  'image-facts': imageFacts,
  picture,
  'weights-index': weightsIndex,
  'weights-tensor': weightsTensor,
};

type Readings = typeof readings;
export type ReadingName = keyof Readings;
export type ReadingInput<K extends ReadingName> = Parameters<Readings[K]>[0];
export type ReadingOutput<K extends ReadingName> = Awaited<ReturnType<Readings[K]>>;
