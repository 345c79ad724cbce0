import { stampOf } from '../data/file-stamp.ts';
import { imageError } from '../data/image.ts';
import { isPlainFile, type Place } from '../data/locator.ts';
import { readLocated } from '../data/read-located.ts';
import { thumbnailRecipe } from '../data/thumbnail-recipe.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import type { Reader } from './reader.ts';

/** An encoded picture. */
export interface Picture {
  data: Uint8Array;
  contentType: string;
}

/** Bytes: some hundred thousand of them. */
const cacheLimit = 2 ** 31;

/** An image to show: `hash` and `stamp` are those of the import, `file` is what bears the stamp. */
interface PictureSource {
  /** The dataset's folder. */
  folder: string;
  file: string;
  place: Place;
  hash: string;
  stamp: string | null;
}

/**
 * A picture for display of what the file shows now. `thumb`: WebP of at most 256 px, kept in `cacheFolder` under the hash
 * of the bytes that it was made from; that of the import is shown without reading the file where the file still bears its
 * stamp, or is gone. `full`: as data/picture.ts makes it.
 * @throws CotuneError `not-found` where the file vanished, `failed` where it cannot be decoded.
 */
export async function readPicture(
  source: PictureSource,
  size: 'thumb' | 'full',
  cacheFolder: string,
  reader: Pick<Reader, 'read'>,
): Promise<Picture> {
  const { folder, file, place } = source;
  try {
    if (size === 'full') {
      const { data, contentType } = await reader.read('picture', { place, size }, folder);
      return { data: data ?? (await readLocated(place)), contentType };
    }
    const known = await knownHash(source);
    const kept = known && readKept(cacheFolder, known);
    if (kept) return kept;
    // What is in an archive is as new as that.
    const before = isPlainFile(place.locator) ? undefined : await stampOf(file);
    const { data, contentType, hash, stamp } = await reader.read('picture', { place, size }, folder);
    remember(place, before === undefined ? stamp : before, hash);
    await thumbnails(cacheFolder).write(keyOf(hash), data!);
    return { data: data!, contentType };
  } catch (error) {
    throw imageError(error, file, 'failed', 'shown');
  }
}

/** Hashes of files as they were last read, so that one whose stamp is not on record is not read for every look at it. */
const seen = new Map<string, { stamp: string; hash: string }>();
const maxSeen = 20_000;

function remember(place: Place, stamp: string | null, hash: string): void {
  if (stamp === null) return;
  if (seen.size >= maxSeen) seen.clear();
  seen.set(JSON.stringify(place), { stamp, hash });
}

/** The hash of what a file holds now, where that is known without reading it; of the import where the file is gone. */
async function knownHash({ file, place, hash, stamp }: PictureSource): Promise<string | null> {
  let now: string | null;
  try {
    now = await stampOf(file);
  } catch {
    return hash;
  }
  if (now === null) return null;
  if (now === stamp) return hash;
  const last = seen.get(JSON.stringify(place));
  return last?.stamp === now ? last.hash : null;
}

const thumbnails = (cacheFolder: string) => openContentCache(cacheFolder, 'thumbnails', cacheLimit);
const keyOf = (hash: string): string => contentKey({ what: 'thumbnail', ...thumbnailRecipe, content: hash });

function readKept(cacheFolder: string, hash: string): Picture | null {
  const data = thumbnails(cacheFolder).read(keyOf(hash));
  return data && { data, contentType: 'image/webp' };
}
