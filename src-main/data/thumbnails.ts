import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { openImage, readImageFile } from './decode.ts';

export interface Picture {
  data: Buffer;
  contentType: string;
}

const thumbnailSide = 256;

/** File signatures of what every browser shows by itself. */
const shown: [contentType: string, signature: string][] = [
  ['image/jpeg', 'ffd8ff'],
  ['image/png', '89504e47'],
  ['image/gif', '47494638'],
];

/**
 * An image for display: `thumb` is WebP of at most 256 px, cached by content; `full` is the file itself where browsers
 * show its format, else a JPEG of it. Throws `not-found` where the file cannot be read any more.
 */
export async function readPicture(
  path: string,
  hash: string,
  size: 'thumb' | 'full',
  cacheFolder: string,
): Promise<Picture> {
  const folder = join(cacheFolder, 'thumbnails', hash.slice(0, 2));
  const cached = join(folder, `${hash}.webp`);
  if (size === 'thumb') {
    const data = await readFile(cached).catch(() => null);
    if (data) return { data, contentType: 'image/webp' };
  }
  try {
    const bytes = await readImageFile(path);
    if (size === 'full') {
      const contentType = shown.find(([, signature]) =>
        bytes.toString('hex', 0, 8).startsWith(signature),
      )?.[0];
      if (contentType) return { data: bytes, contentType };
      const { image } = await openImage(bytes);
      return { data: await image.jpeg({ quality: 92 }).toBuffer(), contentType: 'image/jpeg' };
    }
    const { image } = await openImage(bytes);
    const small = image.resize(thumbnailSide, thumbnailSide, { fit: 'inside', withoutEnlargement: true });
    const data = await small.webp({ quality: 80 }).toBuffer();
    await mkdir(folder, { recursive: true });
    const temporary = `${cached}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    await writeFile(temporary, data);
    await rename(temporary, cached);
    return { data, contentType: 'image/webp' };
  } catch (error) {
    throw new CotuneError(
      'not-found',
      `${path} cannot be shown: ${(error as Error).message}.`,
      'Import the folder again.',
      {
        cause: error,
      },
    );
  }
}
