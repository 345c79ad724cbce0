import type { Preprocessing } from '../../../src-shared/domain.ts';
import type { Resize } from '../resize.ts';
import { crop } from './crop.ts';
import { letterbox } from './letterbox.ts';
import { squash } from './squash.ts';

/** How a picture of any shape becomes the square input; the first is what networks say nothing of. */
export const resizes: readonly Resize[] = [crop, squash, letterbox];

/** The one that a network's preprocessing names, else the first. */
export function resizeOf({ resize = resizes[0].name }: Pick<Preprocessing, 'resize'>): Resize {
  const found = resizes.find(({ name }) => name === resize);
  if (!found) throw new Error(`There is no way to resize called ${resize}.`);
  return found;
}

/** Preprocessing with another way to resize. Without a name for the first, as it was before there were others. */
export function resizedBy({ resize: _, ...preprocessing }: Preprocessing, name: string): Preprocessing {
  return name === resizes[0].name ? preprocessing : { ...preprocessing, resize: name };
}
