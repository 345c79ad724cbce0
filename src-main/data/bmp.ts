/**
 * Windows bitmaps, which sharp's build does not read: 1, 2, 4, 8, 16, 24 and 32 bits a pixel, palettes, bit masks,
 * run lengths (RLE4, RLE8), bottom-up and top-down, header sizes 12 to 124. A fourth channel is ignored: most
 * writers leave it zero without meaning "transparent".
 * Format: Microsoft, "Bitmap Storage" (Windows GDI documentation).
 */
import type { RgbImage } from './image.ts';

export interface BmpHeader {
  width: number;
  height: number;
  topDown: boolean;
  bits: number;
  compression: number;
  /** Where the pixels start. */
  offset: number;
  /** Red, green and blue masks of 16- and 32-bit pixels. */
  masks: [number, number, number];
  palette: { start: number; entryBytes: 3 | 4; count: number };
}

const uncompressed = 0;
const rle8 = 1;
const rle4 = 2;
const bitFields = 3;
const alphaBitFields = 6;

/** Reads a bitmap's header. Throws an `Error` that says what is wrong with it. */
export function readBmpHeader(bytes: Buffer): BmpHeader {
  if (bytes.length < 26) throw new Error('the bitmap ends within its header');
  const size = bytes.readUInt32LE(14);
  const old = size === 12;
  if (!old && (size < 40 || size > 124)) throw new Error(`bitmap header of ${size} bytes is not known`);
  if (bytes.length < 14 + size) throw new Error('the bitmap ends within its header');
  const width = old ? bytes.readUInt16LE(18) : bytes.readInt32LE(18);
  const signedHeight = old ? bytes.readUInt16LE(20) : bytes.readInt32LE(22);
  const bits = bytes.readUInt16LE(old ? 24 : 28);
  const compression = old ? uncompressed : bytes.readUInt32LE(30);
  const height = Math.abs(signedHeight);
  if (width <= 0 || height === 0) throw new Error(`the bitmap's extents are ${width} × ${signedHeight}`);
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`${bits} bits a pixel are not known`);
  checkCompression(compression, bits);

  const masked = compression === bitFields || compression === alphaBitFields;
  // Header sizes from 52 hold the masks; after a header of 40 bytes they follow it.
  const masksAfter = masked && size === 40 ? (compression === alphaBitFields ? 16 : 12) : 0;
  if (masked && bytes.length < 66) throw new Error('the bitmap ends within its bit masks');
  const masks: BmpHeader['masks'] = masked
    ? [bytes.readUInt32LE(54), bytes.readUInt32LE(58), bytes.readUInt32LE(62)]
    : bits === 16
      ? [0x7c00, 0x03e0, 0x001f]
      : [0xff0000, 0x00ff00, 0x0000ff];
  const used = old ? 0 : bytes.readUInt32LE(46);
  const count = bits > 8 ? 0 : Math.min(used || 2 ** bits, 2 ** bits);
  const palette = { start: 14 + size + masksAfter, entryBytes: old ? (3 as const) : (4 as const), count };
  const afterPalette = palette.start + count * palette.entryBytes;
  const stated = bytes.readUInt32LE(10);
  const offset = stated >= 14 + size && stated < bytes.length ? stated : afterPalette;
  return { width, height, topDown: signedHeight < 0, bits, compression, offset, masks, palette };
}

function checkCompression(compression: number, bits: number): void {
  const fits =
    compression === uncompressed ||
    (compression === rle8 && bits === 8) ||
    (compression === rle4 && bits === 4) ||
    ((compression === bitFields || compression === alphaBitFields) && (bits === 16 || bits === 32));
  if (!fits) throw new Error(`bitmap compression ${compression} with ${bits} bits a pixel is not known`);
}

/** Decodes a bitmap to RGB. Throws an `Error` where it is cut off or malformed. */
export function decodeBmp(bytes: Buffer): RgbImage {
  const header = readBmpHeader(bytes);
  const { width, height, topDown, bits, compression } = header;
  const data = new Uint8Array(width * height * 3);
  if (bits > 8) readTrueColor(bytes, header, data);
  else {
    const indices = compression === uncompressed ? readIndices(bytes, header) : expandRuns(bytes, header);
    paint(bytes, header, indices, data);
  }
  if (!topDown) flipRows(data, width * 3, height);
  return { width, height, data };
}

function rowStride({ width, bits }: BmpHeader): number {
  return Math.ceil((width * bits) / 32) * 4;
}

function requirePixels(bytes: Buffer, header: BmpHeader): void {
  // The last row may lack its padding.
  const needed = rowStride(header) * (header.height - 1) + Math.ceil((header.width * header.bits) / 8);
  const present = bytes.length - header.offset;
  if (present < needed) throw new Error(`the bitmap is cut off: ${present} of ${needed} bytes of pixels`);
}

function readTrueColor(bytes: Buffer, header: BmpHeader, data: Uint8Array): void {
  requirePixels(bytes, header);
  const { width, height, bits, offset, masks } = header;
  const stride = rowStride(header);
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    const largest = mask >>> shift;
    return { mask, shift, scale: largest === 0 ? 0 : 255 / largest };
  });
  const step = bits / 8;
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0, at = offset + y * stride; x < width; x++, at += step, out += 3) {
      if (bits === 24) {
        data[out] = bytes[at + 2];
        data[out + 1] = bytes[at + 1];
        data[out + 2] = bytes[at];
        continue;
      }
      const pixel = bits === 16 ? bytes.readUInt16LE(at) : bytes.readUInt32LE(at);
      for (let channel = 0; channel < 3; channel++) {
        const { mask, shift, scale } = channels[channel];
        data[out + channel] = Math.round(((pixel & mask) >>> shift) * scale);
      }
    }
  }
}

function readIndices(bytes: Buffer, header: BmpHeader): Uint8Array {
  requirePixels(bytes, header);
  const { width, height, bits, offset } = header;
  const stride = rowStride(header);
  const indices = new Uint8Array(width * height);
  const mask = 2 ** bits - 1;
  for (let y = 0, out = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * bits;
      indices[out++] = (bytes[offset + y * stride + (bit >> 3)] >> (8 - bits - (bit & 7))) & mask;
    }
  }
  return indices;
}

/** Pairs (count, value); count 0 escapes: 0 ends a row, 1 the image, 2 moves, n copies n indices as they are. */
function expandRuns(bytes: Buffer, { width, height, bits, offset }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const nibbles = bits === 4;
  let x = 0;
  let y = 0;
  let at = offset;
  const put = (index: number) => {
    if (x < width && y < height) indices[y * width + x] = index;
    x++;
  };
  while (y < height) {
    if (at + 2 > bytes.length) throw new Error(`the bitmap is cut off in row ${y + 1} of ${height}`);
    const count = bytes[at++];
    const value = bytes[at++];
    if (count > 0) {
      for (let i = 0; i < count; i++) put(nibbles ? (i & 1 ? value & 15 : value >> 4) : value);
    } else if (value === 0) {
      x = 0;
      y++;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      if (at + 2 > bytes.length) throw new Error(`the bitmap is cut off in row ${y + 1} of ${height}`);
      x += bytes[at++];
      y += bytes[at++];
    } else {
      const length = nibbles ? (value + 1) >> 1 : value;
      if (at + length > bytes.length) throw new Error(`the bitmap is cut off in row ${y + 1} of ${height}`);
      for (let i = 0; i < value; i++) {
        const byte = bytes[at + (nibbles ? i >> 1 : i)];
        put(nibbles ? (i & 1 ? byte & 15 : byte >> 4) : byte);
      }
      at += length + (length & 1);
    }
  }
  return indices;
}

function paint(bytes: Buffer, { palette }: BmpHeader, indices: Uint8Array, data: Uint8Array): void {
  const { start, entryBytes, count } = palette;
  if (start + count * entryBytes > bytes.length) throw new Error('the bitmap ends within its palette');
  for (let i = 0; i < indices.length; i++) {
    // An index beyond the palette stays black, as Windows shows it.
    if (indices[i] >= count) continue;
    const entry = start + indices[i] * entryBytes;
    data[i * 3] = bytes[entry + 2];
    data[i * 3 + 1] = bytes[entry + 1];
    data[i * 3 + 2] = bytes[entry];
  }
}

function flipRows(data: Uint8Array, stride: number, rows: number): void {
  const kept = new Uint8Array(stride);
  for (let top = 0, bottom = rows - 1; top < bottom; top++, bottom--) {
    kept.set(data.subarray(top * stride, (top + 1) * stride));
    data.copyWithin(top * stride, bottom * stride, (bottom + 1) * stride);
    data.set(kept, bottom * stride);
  }
}
