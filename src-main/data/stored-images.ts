import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Preprocessing } from '../../src-shared/domain.ts';
import { evaluationShorter } from './crops.ts';
import { type Place, placeOfFile } from './locator.ts';

/** An image to read. */
export interface ImageSource {
  /** What it is called, a path of its own: for messages, and to tell it from others. */
  path: string;
  /** `hashLocated` when it was imported. */
  hash: string;
  /** Where it is, where that is not the whole file at `path`. */
  place?: Place;
}

/** Where an image is. */
export const placeOf = ({ path, place }: Pick<ImageSource, 'path' | 'place'>): Place =>
  place ?? placeOfFile(path);

/** Where decoded images are stored. */
export interface ImageCache {
  /** Folder of all caches. */
  folder: string;
  /** Largest shorter side in pixels of a stored image; smaller images are stored as they are. */
  shorter: number;
}

export const cacheRoot = (folder: string): string => join(folder, 'pixels');

export const cachedPath = ({ folder, shorter }: ImageCache, hash: string): string =>
  join(cacheRoot(folder), String(shorter), hash.slice(0, 2), `${hash}.rgb`);

/** How many of some images have to be decoded before they can be used, as the cache stands. */
export const undecoded = (sources: readonly ImageSource[], cache: ImageCache): number =>
  [...new Set(sources.map(({ hash }) => hash))].filter((hash) => !existsSync(cachedPath(cache, hash))).length;

/**
 * Largest shorter side in pixels that is kept of an image for crops of `size`: twice the crop, so that a random crop
 * of a fifth of a 4:3 image needs no enlargement (of a square one, by 1.12), and the evaluation resize shrinks it once
 * more. 1.5 times would take half of the space and blur a third of the crops; the whole image helps no crop.
 */
export const storedShorter = (size: number, preprocessing: Preprocessing): number =>
  Math.max(2 * size, evaluationShorter(size, preprocessing));
