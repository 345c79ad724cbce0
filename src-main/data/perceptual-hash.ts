import { decodeTo, type OpenedImage } from './decode.ts';

const columns = 9;
const rows = 8;
/** Pixels of the thumbnail for each side of a hash cell. */
const cell = 4;

/** What an image looks like: 36 × 32 luminances in rows, enough to tell whether two images show the same. */
export type Look = Uint8Array;

/**
 * Shrinks an image to its look. Reads every pixel, so that damage anywhere is found: throws as `decodeTo` does.
 */
export async function lookOf(image: OpenedImage): Promise<Look> {
  const { data } = await decodeTo(image, columns * cell, rows * cell, 'quick');
  const look = new Uint8Array(columns * cell * rows * cell);
  for (let pixel = 0; pixel < look.length; pixel++) {
    look[pixel] = 0.299 * data[3 * pixel] + 0.587 * data[3 * pixel + 1] + 0.114 * data[3 * pixel + 2] + 0.5;
  }
  return look;
}

/**
 * 64-bit difference hash as 16 hex digits: 9 × 8 mean luminances, one bit for each pair of neighbors in a row, set
 * where the luminance grows to the right (N. Krawetz, "Kind of Like That", 2013).
 */
export function differenceHash(look: Look): string {
  const sums = new Uint32Array(columns * rows);
  for (let y = 0, pixel = 0; y < rows * cell; y++) {
    for (let x = 0; x < columns * cell; x++) {
      sums[Math.floor(y / cell) * columns + Math.floor(x / cell)] += look[pixel++];
    }
  }
  let hash = '';
  for (let row = 0; row < rows; row++) {
    let bits = 0;
    for (let column = 0; column < columns - 1; column++) {
      const left = row * columns + column;
      bits = (bits << 1) | (sums[left + 1] > sums[left] ? 1 : 0);
    }
    hash += bits.toString(16).padStart(2, '0');
  }
  return hash;
}

/** Correlation of two looks, above which they show the same picture; see `looksSame`. */
const sameCorrelation = 0.88;

/**
 * Whether two images show the same picture, whatever their sizes, compression, brightness and small marks:
 * correlation of their luminances at least 0.88. Looked at on a set of 1,369 photographs, of which 101 pairs have
 * close hashes: copies of one photograph with other watermarks start at 0.89, two of one scene end at 0.82.
 * Images without structure are the same where their luminances differ by at most 2 of 255.
 */
export function looksSame(a: Look, b: Look): boolean {
  const [meanA, meanB] = [meanOf(a), meanOf(b)];
  let products = 0;
  let squaresA = 0;
  let squaresB = 0;
  let difference = 0;
  for (let pixel = 0; pixel < a.length; pixel++) {
    const [x, y] = [a[pixel] - meanA, b[pixel] - meanB];
    products += x * y;
    squaresA += x * x;
    squaresB += y * y;
    difference = Math.max(difference, Math.abs(a[pixel] - b[pixel]));
  }
  const flat = 4 * a.length;
  if (squaresA < flat || squaresB < flat) return difference <= 2;
  return products >= sameCorrelation * Math.sqrt(squaresA * squaresB);
}

function meanOf(look: Look): number {
  let sum = 0;
  for (const value of look) sum += value;
  return sum / look.length;
}
