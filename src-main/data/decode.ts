import sharp, { type Sharp } from 'sharp';
import { decodeBmp, readBmpHeader } from './bmp.ts';
import { decoding } from './decoding.ts';
import { maxChannels, readDeep } from './deep-pixels.ts';
import { ImageProblem, type RgbImage } from './image.ts';
import { formatOf, type ImageFormat } from './image-format.ts';
import type { Crop } from './locator.ts';

/** More pixels than this are refused: a camera's largest pictures fit, a decompression bomb does not. */
const maxPixels = 250_000_000;

/** An image whose header has been read. `width` and `height` in pixels, upright (EXIF orientation applied). */
export interface OpenedImage {
  format: ImageFormat;
  width: number;
  height: number;
  /** Whether `pipeline()` cuts a piece out of the picture; the extents are those of the piece. */
  cropped: boolean;
  /** What is unusual about the image and how it was read, in words; null where there is one way to read it. */
  reading: string | null;
  /** A pipeline over the first frame: upright, sRGB, 8 bits, transparency on white. It fails on damage of that grade. */
  pipeline(failOn: 'error' | 'warning'): Sharp;
}

/**
 * Reads an image's header; its pixels wait for `pipeline()`, of `crop` where that is given (in pixels of the upright image). The name of the file does not matter, its content does.
 * Embedded color profiles are ignored, as the pipelines that networks are pre-trained with do.
 * @throws ImageProblem where the header says that it cannot be decoded.
 */
export async function openImage(bytes: Buffer, crop?: Crop): Promise<OpenedImage> {
  const image = await openWhole(bytes);
  return crop ? cropped(image, crop) : image;
}

function cropped(image: OpenedImage, [left, top, width, height]: Crop): OpenedImage {
  const counts = [left, top, width, height].every(Number.isSafeInteger) && left >= 0 && top >= 0;
  if (!counts || width < 1 || height < 1 || left + width > image.width || top + height > image.height)
    throw new ImageProblem(
      'broken',
      `its crop, ${width} × ${height} pixels at (${left}, ${top}), is not within its ${image.width} × ${image.height}`,
    );
  return {
    ...image,
    width,
    height,
    cropped: true,
    pipeline: (failOn) => image.pipeline(failOn).extract({ left, top, width, height }),
  };
}

async function openWhole(bytes: Buffer): Promise<OpenedImage> {
  const format = formatOf(bytes);
  if (format === 'bmp') return openBmp(bytes);
  const metadata = await decoding('together', () =>
    sharp(bytes, { limitInputPixels: false, limitInputChannels: maxChannels }).metadata(),
  ).catch((error) => {
    throw new ImageProblem('broken', `its header cannot be read (${reasonOf(error)})`, { cause: error });
  });
  const { width, height, pages = 1 } = metadata;
  refuseHuge(width, height);
  const first = format === 'tiff' ? 'pages' : 'frames';
  const several = pages > 1 ? `the first of ${pages} ${first} was read` : null;
  const deep = await readDeep(bytes, format, metadata);
  if (deep) {
    const { data, reading, ...raw } = deep;
    const said = [several, reading].filter((text) => text !== null).join('; ') || null;
    const { width, height } = raw;
    return {
      format,
      width,
      height,
      cropped: false,
      reading: said,
      pipeline: () => plainRgb(sharp(data, { raw })),
    };
  }
  const turned = (metadata.orientation ?? 1) > 4;
  return {
    format,
    width: turned ? height : width,
    height: turned ? width : height,
    cropped: false,
    reading: several,
    pipeline: (failOn) =>
      plainRgb(sharp(bytes, { failOn, limitInputPixels: maxPixels, ignoreIcc: true, autoOrient: true })),
  };
}

function openBmp(bytes: Buffer): OpenedImage {
  const decoding = <T>(decode: () => T): T => {
    try {
      return decode();
    } catch (error) {
      throw new ImageProblem('broken', reasonOf(error), { cause: error });
    }
  };
  const { width, height } = decoding(() => readBmpHeader(bytes));
  refuseHuge(width, height);
  return {
    format: 'bmp',
    width,
    height,
    cropped: false,
    reading: null,
    pipeline() {
      const { data } = decoding(() => decodeBmp(bytes));
      return plainRgb(sharp(data, { raw: { width, height, channels: 3 } }));
    },
  };
}

const plainRgb = (image: Sharp): Sharp =>
  image.flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha();

function refuseHuge(width: number, height: number): void {
  if (width * height <= maxPixels) return;
  const limit = `at most ${maxPixels / 1e6} million`;
  throw new ImageProblem('huge', `${width} × ${height} pixels are too many to decode (${limit})`);
}

const resizing = {
  /** Within 1 of 255 of a resize from all pixels, in the mean. A JPEG may be decoded at a fraction of its size. */
  exact: { kernel: 'cubic', fastShrinkOnLoad: false },
  /**
   * From all pixels: a decoder that makes a fraction of them looks for damage in a fraction of its steps, so that what
   * passes here passes at any size.
   */
  whole: { kernel: 'linear', fastShrinkOnLoad: false },
} as const;

/**
 * Decodes to RGB at exactly `width` × `height` pixels, antialiased where that shrinks the image.
 * @throws ImageProblem `broken` where the pixel data is damaged or cut off.
 */
export async function decodeTo(
  image: OpenedImage,
  width: number,
  height: number,
  quality: 'exact' | 'whole',
): Promise<RgbImage> {
  const decode = (failOn: 'error' | 'warning'): Promise<Buffer> => {
    const pipeline = image.pipeline(failOn);
    // To cut out everything is to decode everything.
    if (quality === 'whole' && !image.cropped)
      pipeline.extract({ left: 0, top: 0, width: image.width, height: image.height });
    if (width !== image.width || height !== image.height) {
      pipeline.resize(width, height, { fit: 'fill', ...resizing[quality] });
    }
    return pipeline.raw().toBuffer();
  };
  try {
    return {
      width,
      height,
      data: await (image.format === 'jpeg'
        ? decodeJpeg(decode)
        : decoding('together', () => decode('error'))),
    };
  } catch (error) {
    throw new ImageProblem('broken', `its pixels are damaged or cut off (${reasonOf(error)})`, {
      cause: error,
    });
  }
}

/** What the JPEG decoder warns of when pixels are missing; a warning of stray bytes or an odd header is harmless. */
const damage = /premature end|huffman/i;

/** A JPEG without its lower half decodes to gray with no more than a warning: that one is an error here. */
async function decodeJpeg(decode: (failOn: 'error' | 'warning') => Promise<Buffer>): Promise<Buffer> {
  try {
    return await decoding('together', () => decode('warning'));
  } catch {
    // Which warning it was is known only where nothing else is decoded meanwhile.
    return decoding('alone', async () => {
      try {
        return await decode('warning');
      } catch (error) {
        if (damage.test((error as Error).message)) throw error;
        return decode('error');
      }
    });
  }
}

/** First line of what a decoder says, without its own name in front. */
function reasonOf(error: unknown): string {
  const [line] = (error instanceof Error ? error.message : String(error)).trim().split('\n');
  return line.replace(/^(Vips\w+|vips\w+|\w+load_buffer): ?/, '').trim();
}
