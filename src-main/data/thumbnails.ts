import { createHash } from 'node:crypto';
import { CotuneError } from '../../src-shared/errors.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import { openImage, readImageFile } from './decode.ts';
import { decoding } from './decoding.ts';
import { stampOf, withStamp } from './file-stamp.ts';
import { ImageProblem } from './image.ts';

/** An encoded picture. */
export interface Picture {
  data: Buffer;
  contentType: string;
}

/** What a thumbnail follows from beside the file; `side` is the longer one, in pixels. */
const recipe = { version: 1, side: 256, format: 'webp', quality: 80 };
/** Bytes: some hundred thousand of them. */
const cacheLimit = 2 ** 31;
/** What every browser shows by itself. */
const displayable: readonly string[] = ['jpeg', 'png', 'webp', 'gif'];

/** An image to show: `hash` and `stamp` are those of the file when it was imported. */
export interface PictureSource {
  path: string;
  hash: string;
  stamp: string | null;
}

/**
 * A picture for display of what the file shows now. `thumb`: WebP of at most 256 px, kept in `cacheFolder` under the hash
 * of the bytes that it was made from; that of the import is shown without reading the file where the file still bears its
 * stamp, or is gone. `full`: the file as it is where browsers show its format, else as PNG, or as JPEG above 4 million
 * pixels.
 * @throws CotuneError `not-found` where the file vanished, `failed` where it cannot be decoded.
 */
export async function readPicture(
  source: PictureSource,
  size: 'thumb' | 'full',
  cacheFolder: string,
): Promise<Picture> {
  const { path } = source;
  try {
    if (size === 'full') return await fullPicture(path);
    const known = await knownHash(source);
    const kept = known && readKept(cacheFolder, known);
    if (kept) return kept;
    const { value: bytes, stamp } = await withStamp(path, () => readImageFile(path));
    const hash = createHash('sha256').update(bytes).digest('hex');
    remember(path, stamp, hash);
    const again = hash === known ? null : readKept(cacheFolder, hash);
    if (again) return again;
    const small = (await openImage(bytes))
      .pipeline('error')
      .resize(recipe.side, recipe.side, { fit: 'inside', withoutEnlargement: true });
    const data = await decoding('together', () => small.webp({ quality: recipe.quality }).toBuffer());
    await thumbnails(cacheFolder).write(keyOf(hash), data);
    return { data, contentType: 'image/webp' };
  } catch (error) {
    throw displayError(error, path);
  }
}

/** Hashes of files as they were last read, so that one whose stamp is not on record is not read for every look at it. */
const seen = new Map<string, { stamp: string; hash: string }>();
const maxSeen = 20_000;

function remember(path: string, stamp: string | null, hash: string): void {
  if (stamp === null) return;
  if (seen.size >= maxSeen) seen.clear();
  seen.set(path, { stamp, hash });
}

/** The hash of what a file holds now, where that is known without reading it; of the import where the file is gone. */
async function knownHash({ path, hash, stamp }: PictureSource): Promise<string | null> {
  let now: string | null;
  try {
    now = await stampOf(path);
  } catch {
    return hash;
  }
  if (now === null) return null;
  if (now === stamp) return hash;
  const last = seen.get(path);
  return last?.stamp === now ? last.hash : null;
}

const thumbnails = (cacheFolder: string) => openContentCache(cacheFolder, 'thumbnails', cacheLimit);
const keyOf = (hash: string): string => contentKey({ what: 'thumbnail', ...recipe, content: hash });

function readKept(cacheFolder: string, hash: string): Picture | null {
  const data = thumbnails(cacheFolder).read(keyOf(hash));
  return data && { data, contentType: 'image/webp' };
}

async function fullPicture(path: string): Promise<Picture> {
  const bytes = await readImageFile(path);
  const image = await openImage(bytes);
  if (displayable.includes(image.format)) return { data: bytes, contentType: `image/${image.format}` };
  if (image.width * image.height > 4e6) {
    const data = await decoding('together', () => image.pipeline('error').jpeg({ quality: 92 }).toBuffer());
    return { data, contentType: 'image/jpeg' };
  }
  return {
    data: await decoding('together', () => image.pipeline('error').png().toBuffer()),
    contentType: 'image/png',
  };
}

function displayError(error: unknown, path: string): CotuneError {
  if (error instanceof CotuneError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return new CotuneError(
      'not-found',
      `The image ${path} is no longer there.`,
      'Put it back, or import the folder again.',
      { cause: error },
    );
  }
  const reason = error instanceof ImageProblem ? message : `it cannot be read (${code ?? message})`;
  return new CotuneError(
    'failed',
    `The image ${path} cannot be shown: ${reason}.`,
    'Import the folder again.',
    {
      cause: error,
    },
  );
}
