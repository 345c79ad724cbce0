import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { openImage, readImageFile } from './decode.ts';
import { decoding } from './decoding.ts';
import { ImageProblem } from './image.ts';

/** An encoded picture. */
export interface Picture {
  data: Buffer;
  contentType: string;
}

/** Longer side in pixels. */
const thumbnailSide = 256;
/** What every browser shows by itself. */
const displayable: readonly string[] = ['jpeg', 'png', 'webp', 'gif'];

/**
 * A picture for display. `thumb`: WebP of at most 256 px, cached in `cacheFolder` under the content hash. `full`: the
 * file as it is where browsers show its format, else as PNG, or as JPEG above 4 million pixels.
 * @throws CotuneError `not-found` where the file vanished, `failed` where it cannot be decoded.
 */
export async function readPicture(
  path: string,
  hash: string,
  size: 'thumb' | 'full',
  cacheFolder: string,
): Promise<Picture> {
  const cached = join(cacheFolder, 'thumbnails', hash.slice(0, 2), `${hash}.webp`);
  if (size === 'thumb') {
    const data = await readFile(cached).catch(() => null);
    if (data && isWhole(data)) return { data, contentType: 'image/webp' };
  }
  try {
    const bytes = await readImageFile(path);
    const image = await openImage(bytes);
    if (size === 'full') {
      if (displayable.includes(image.format)) return { data: bytes, contentType: `image/${image.format}` };
      if (image.width * image.height > 4e6) {
        return {
          data: await decoding('together', () => image.pipeline('error').jpeg({ quality: 92 }).toBuffer()),
          contentType: 'image/jpeg',
        };
      }
      const data = await decoding('together', () => image.pipeline('error').png().toBuffer());
      return { data, contentType: 'image/png' };
    }
    const small = image
      .pipeline('error')
      .resize(thumbnailSide, thumbnailSide, { fit: 'inside', withoutEnlargement: true });
    const data = await decoding('together', () => small.webp({ quality: 80 }).toBuffer());
    await keep(cached, data);
    return { data, contentType: 'image/webp' };
  } catch (error) {
    throw displayError(error, path);
  }
}

/** Whether a WebP file is as long as its header says: a write may have been cut off by a crash. */
const isWhole = (data: Buffer): boolean => data.length > 12 && data.readUInt32LE(4) + 8 === data.length;

async function keep(path: string, data: Buffer): Promise<void> {
  const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, data);
  await rename(temporary, path);
}

function displayError(error: unknown, path: string): CotuneError {
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
