import { readFile, stat } from 'node:fs/promises';
import { decode as decodeBmp } from 'bmp-ts';
import sharp, { type Metadata, type Sharp } from 'sharp';

/** Larger images are left out: decoding one takes gigabytes, and no photograph needs it. */
const maxPixels = 120_000_000;
const maxBytes = 512 * 2 ** 20;

/** Why an image cannot be used. */
export class ImageProblem extends Error {
  readonly kind: 'broken' | 'empty' | 'huge';

  constructor(kind: ImageProblem['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Pixels in rows from the top, three bytes RGB each. */
export interface RgbImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** An image ready to be decoded, with its upright extents in pixels. */
export interface OpenedImage {
  image: Sharp;
  width: number;
  height: number;
}

/** Reads an image file's bytes. Throws `ImageProblem` for an empty or gigantic file; system errors pass through. */
export async function readImageFile(path: string): Promise<Buffer> {
  const { size } = await stat(path);
  if (size === 0) throw new ImageProblem('empty', 'the file is empty (0 bytes)');
  if (size > maxBytes) throw new ImageProblem('huge', `the file has ${Math.round(size / 2 ** 20)} MiB`);
  return readFile(path);
}

/**
 * Opens image bytes for decoding: first frame, upright by its EXIF orientation, sRGB without alpha (transparent
 * pixels become white). Throws `ImageProblem` where the header says that it cannot be decoded.
 */
export async function openImage(bytes: Buffer): Promise<OpenedImage> {
  if (bytes[0] === 0x42 && bytes[1] === 0x4d) return openBmp(bytes);
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw new ImageProblem('broken', `it is not an image that can be read (${firstLine(error)})`, {
      cause: error,
    });
  }
  const turned = (metadata.orientation ?? 1) > 4;
  const [width, height] = turned ? [metadata.height, metadata.width] : [metadata.width, metadata.height];
  refuseHuge(width, height);
  const image = sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels }).rotate();
  return { image: plainRgb(image), width, height };
}

function refuseHuge(width: number, height: number): void {
  if (width * height > maxPixels)
    throw new ImageProblem(
      'huge',
      `${width} × ${height} pixels are too many to decode (at most 120 million)`,
    );
}

const plainRgb = (image: Sharp): Sharp => image.flatten({ background: '#ffffff' }).toColourspace('srgb');

/** sharp's build has no BMP loader. */
function openBmp(bytes: Buffer): OpenedImage {
  if (bytes.length < 26) throw new ImageProblem('broken', 'it is not a whole BMP');
  refuseHuge(Math.abs(bytes.readInt32LE(18)), Math.abs(bytes.readInt32LE(22)));
  try {
    const bitmap = decodeBmp(bytes, { toRGBA: true });
    // Most BMPs leave the fourth byte at zero, which does not mean transparent.
    for (let index = 3; index < bitmap.data.length; index += 4) bitmap.data[index] = 255;
    const raw = { width: bitmap.width, height: bitmap.height, channels: 4 as const };
    return { image: plainRgb(sharp(bitmap.data, { raw })), width: bitmap.width, height: bitmap.height };
  } catch (error) {
    throw new ImageProblem('broken', `it is not a BMP that can be read (${firstLine(error)})`, {
      cause: error,
    });
  }
}

/** Decodes to RGB at exactly width × height pixels, antialiased. Throws `ImageProblem` where the data is damaged. */
export async function decodeTo(
  image: Sharp,
  width: number,
  height: number,
  kernel: 'linear' | 'lanczos3' = 'lanczos3',
): Promise<RgbImage> {
  try {
    const resized = image.clone().resize(width, height, { fit: 'fill', kernel });
    return { width, height, data: await resized.raw().toBuffer() };
  } catch (error) {
    throw new ImageProblem('broken', `its image data is damaged (${firstLine(error)})`, { cause: error });
  }
}

/** The extents of an image whose shorter side becomes `shorter` pixels, truncated as torchvision's Resize does. */
export function resizedExtents(width: number, height: number, shorter: number): [number, number] {
  return width < height
    ? [shorter, Math.trunc((shorter * height) / width)]
    : [Math.trunc((shorter * width) / height), shorter];
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0].trim();
}
