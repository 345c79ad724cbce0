import sharp, { type Metadata } from 'sharp';
import { decoding } from './decoding.ts';
import { ImageProblem } from './image.ts';
import type { ImageFormat } from './image-format.ts';
import { readTiffChannels } from './tiff-tags.ts';

/** Pixels of 8 bits made from others, and in words how. */
export interface DeepPixels {
  data: Uint8Array;
  width: number;
  height: number;
  /** 1 or 3 colors, and one more where there is transparency. */
  channels: 1 | 2 | 3 | 4;
  /** What is unusual about the image and how it was read; null where there is only one way. */
  reading: string | null;
}

/** Channels that an image may have: those of a spectral camera fit. */
export const maxChannels = 512;
/** Bytes that an image's channels may take at full depth. */
const maxBytes = 2 ** 30;

const arrays = {
  uchar: Uint8Array,
  char: Int8Array,
  ushort: Uint16Array,
  short: Int16Array,
  uint: Uint32Array,
  int: Int32Array,
  float: Float32Array,
  double: Float64Array,
} as const;
type Depth = keyof typeof arrays;
type Values = InstanceType<(typeof arrays)[keyof typeof arrays]>;

/** Color spaces in which a channel is a brightness: others (CMYK, Lab) are converted by the decoder. */
const plainSpaces = ['b-w', 'grey16', 'srgb', 'rgb', 'rgb16', 'scrgb', 'multiband'];

/**
 * Reads images that a decoder for photographs would show black or washed out: more than 8 bits a channel, floating point,
 * and channels beyond the colors that are no transparency. Null for all others. Values become 0 … 255 by the range that
 * they are in (`rangeOf`): a function of the file alone, so that an image is always the same.
 * @throws ImageProblem `huge`, or `broken` where the pixels are damaged.
 */
export async function readDeep(
  bytes: Buffer,
  format: ImageFormat,
  { width, height, depth, space, channels, hasAlpha }: Metadata,
): Promise<DeepPixels | null> {
  if (!plainSpaces.includes(space) || !(depth in arrays)) return null;
  const { colors, alpha, said } = layoutOf(bytes, format, channels, hasAlpha);
  if (depth === 'uchar' && said === null) return null;
  const size = width * height * channels * arrays[depth as Depth].BYTES_PER_ELEMENT;
  if (size > maxBytes) {
    const needed = Math.round(size / 2 ** 20);
    throw new ImageProblem(
      'huge',
      `${width} × ${height} pixels of ${channels} channels take ${needed} MiB (at most 1024)`,
    );
  }
  const planes = colors === 3 && !/rgb/.test(space) ? [0, 1, 2] : null;
  const info = await readValues(bytes, { space, depth: depth as Depth }, planes);
  const { values } = info;
  const range =
    depth === 'uchar' ? { low: 0, high: 255, said: null } : rangeOf(values, info.channels, colors);
  if (range.said === null && said === null) return null;
  const kept = alpha ? colors + 1 : colors;
  const pixels = info.width * info.height;
  const plain = new Uint8Array(pixels * kept);
  const scale = 255 / (range.high - range.low || 1);
  const opaque = depth === 'float' || depth === 'double' ? 1 : depth === 'uchar' ? 255 : 65535;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < kept; channel++) {
      const value = values[pixel * info.channels + channel];
      const shown = channel < colors ? (value - range.low) * scale : (value * 255) / opaque;
      // Not a number is black; Uint8Array cuts digits off.
      plain[pixel * kept + channel] = Math.min(255, Math.max(0, shown)) + 0.5;
    }
  }
  const how = [said, range.said].filter((text) => text !== null).join('; ') || null;
  return {
    data: plain,
    width: info.width,
    height: info.height,
    channels: kept as DeepPixels['channels'],
    reading: how,
  };
}

interface Bands {
  /** Row by row, `channels` for each pixel. */
  values: Values;
  channels: number;
  width: number;
  height: number;
}

/** The values as they are in the file; `planes`: of these channels only, each read by itself. */
async function readValues(
  bytes: Buffer,
  { space, depth }: { space: string; depth: Depth },
  planes: number[] | null,
): Promise<Bands> {
  // Where a gray or RGB image of 16 bits is named as one, negative values would be cut off.
  const shifted = depth === 'short' && space.endsWith('16');
  const read = async (plane: number | null): Promise<Bands> => {
    let image = sharp(bytes, { ...reading, failOn: 'error' });
    if (plane !== null) image = image.extractChannel(plane as 0);
    if (shifted) image = image.linear(1, 2 ** 15);
    const output = image.toColourspace(space).raw({ depth: shifted ? 'ushort' : depth });
    const { data, info } = await decoding('together', () => output.toBuffer({ resolveWithObject: true }));
    const kind = arrays[shifted ? 'ushort' : depth];
    const values = new kind(data.buffer, data.byteOffset, data.byteLength / kind.BYTES_PER_ELEMENT);
    return { ...info, values: shifted ? Int32Array.from(values, (value) => value - 2 ** 15) : values };
  };
  try {
    if (planes === null) return await read(null);
    const bands: Bands[] = [];
    for (const plane of planes) bands.push(await read(plane));
    const [first] = bands;
    const values = new (first.values.constructor as Float32ArrayConstructor)(
      first.values.length * planes.length,
    );
    for (const [channel, band] of bands.entries()) {
      for (let at = 0; at < band.values.length; at++) values[at * planes.length + channel] = band.values[at];
    }
    return { ...first, values, channels: planes.length };
  } catch (error) {
    throw new ImageProblem('broken', `its pixels are damaged or cut off (${(error as Error).message})`, {
      cause: error,
    });
  }
}

const reading = {
  limitInputPixels: false,
  limitInputChannels: maxChannels,
  ignoreIcc: true,
  autoOrient: true,
} as const;

/** Which channels are colors and whether transparency follows them. */
function layoutOf(bytes: Buffer, format: ImageFormat, channels: number, hasAlpha: boolean) {
  const usual = { colors: channels < 3 ? 1 : 3, alpha: hasAlpha, said: null };
  const tiff = format === 'tiff' ? readTiffChannels(bytes) : null;
  if (!tiff || tiff.samples !== channels) return usual;
  const { photometric, extra } = tiff;
  const expected = photometric === 2 ? 3 : photometric <= 1 ? 1 : channels;
  const alpha = extra === 1 || extra === 2;
  if (channels === expected || (channels === expected + 1 && alpha)) return { ...usual, alpha };
  const colors = channels >= 3 ? 3 : 1;
  const others = channels - colors;
  const named =
    colors === 3
      ? 'the first three channels were read as red, green and blue'
      : 'the first channel was read as gray';
  const beyond =
    alpha && others === 1 ? '' : ` and ${others === 1 ? 'the other' : `the other ${others}`} left out`;
  return { colors, alpha: alpha && others === 1, said: `${channels} channels: ${named}${beyond}` };
}

/**
 * The values that are black and white: 0 and those of the fewest bits (8, 10, 12, 14, 16) that hold all values; of floating
 * point 0 and 1, or 255, where they reach a good part of that; of anything else the smallest and the largest.
 */
function rangeOf(
  values: Values,
  channels: number,
  colors: number,
): { low: number; high: number; said: string | null } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at += channels) {
    for (let channel = 0; channel < colors; channel++) {
      const value = values[at + channel];
      if (value < low && value !== Number.NEGATIVE_INFINITY) low = value;
      if (value > high && value !== Number.POSITIVE_INFINITY) high = value;
    }
  }
  const floating = values instanceof Float32Array || values instanceof Float64Array;
  const type = floating ? 'floating-point' : `${8 * values.BYTES_PER_ELEMENT}-bit`;
  if (low > high) return { low: 0, high: 1, said: `no ${type} value is a number: read as black` };
  const span = `${type} values ${short(low)} … ${short(high)}`;
  if (floating && low >= 0 && high >= 0.25 && high <= 1)
    return { low: 0, high: 1, said: `${span}: 0 … 1 was read as black … white` };
  if (floating && low >= 0 && high >= 128 && high <= 255) {
    return { low: 0, high: 255, said: `${span}: 0 … 255 was read as black … white` };
  }
  if (low >= 0 && high <= 65535 && !(floating && high < 128)) {
    const bits = [8, 10, 12, 14, 16].find((one) => high < 2 ** one) ?? 16;
    if (values instanceof Uint16Array && (bits === 16 || high === 0))
      return { low: 0, high: 65535, said: null };
    return { low: 0, high: 2 ** bits - 1, said: `${span}: read as ${bits} bits` };
  }
  return { low, high, said: `${span}: the smallest was read as black, the largest as white` };
}

const short = (value: number): string => `${Number(value.toPrecision(4))}`;
