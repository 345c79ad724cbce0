import type { Sharp } from 'sharp';
import { decodeTo } from './decode.ts';

/**
 * 64-bit difference hash as 16 hex digits: the image shrunk to 9 × 8 luminances, one bit per neighbor pair in a row,
 * set where it grows to the right. Krawetz, «Kind of Like That», hackerfactor.com, 2013.
 */
export async function differenceHash(image: Sharp): Promise<string> {
  const { data } = await decodeTo(image, 9, 8, 'linear');
  const luminance = (pixel: number) =>
    0.299 * data[3 * pixel] + 0.587 * data[3 * pixel + 1] + 0.114 * data[3 * pixel + 2];
  let hash = 0n;
  for (let row = 0; row < 8; row++)
    for (let column = 0; column < 8; column++) {
      const left = row * 9 + column;
      hash = (hash << 1n) | (luminance(left + 1) > luminance(left) ? 1n : 0n);
    }
  return hash.toString(16).padStart(16, '0');
}

/** Bits in which near-duplicates may differ. */
const nearDistance = 3;

/**
 * All pairs of hashes at most `nearDistance` bits apart, by multi-index hashing: of four 16-bit quarters, at least
 * one is equal in such a pair (Norouzi, Punjani, Fleet, CVPR 2012). Flat images, whose hash has next to no set
 * or clear bits, say nothing and are left out.
 */
export function nearPairs(hashes: readonly string[]): [number, number][] {
  const words = hashes.map((hash) =>
    [0, 4, 8, 12].map((start) => Number.parseInt(hash.slice(start, start + 4), 16)),
  );
  const telling = words.map((quarters) => {
    const bits = quarters.reduce((sum, word) => sum + ones(word), 0);
    return bits >= 8 && bits <= 56;
  });
  const found = new Map<string, [number, number]>();
  for (let quarter = 0; quarter < 4; quarter++) {
    const buckets = new Map<number, number[]>();
    for (let index = 0; index < hashes.length; index++) {
      if (!telling[index]) continue;
      const bucket = buckets.get(words[index][quarter]) ?? [];
      if (bucket.length === 0) buckets.set(words[index][quarter], bucket);
      for (const other of bucket) {
        const distance = words[index].reduce((sum, word, part) => sum + ones(word ^ words[other][part]), 0);
        if (distance <= nearDistance) found.set(`${other}/${index}`, [other, index]);
      }
      bucket.push(index);
    }
  }
  return [...found.values()];
}

function ones(word: number): number {
  let count = 0;
  for (let rest = word; rest > 0; rest &= rest - 1) count++;
  return count;
}
