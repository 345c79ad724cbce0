import { permutation, randomOf } from '../data/random.ts';

/** Texts that are padded to one length. */
export interface Bucket {
  /** Pieces of a text, padding included. */
  length: number;
  /** Texts of a batch. */
  batch: number;
  /** Which texts are in it, by their numbers. */
  texts: number[];
}

/** Fewer texts than this share of all do not make a bucket: they are padded further. */
const leastShare = 0.02;

/**
 * Texts by their numbers of pieces in buckets of doubling lengths up to `longest`, whose batches hold so many texts. A text is in the
 * shortest bucket that holds it, unless that would have hardly any, or fewer than `least`.
 */
export function bucketsOf(
  counts: readonly number[],
  longest: number,
  batchOf: (length: number) => number,
  least = 1,
): Bucket[] {
  const lengths: number[] = [longest];
  while (lengths[0] > 16) lengths.unshift(Math.ceil(lengths[0] / 2));
  const buckets: Bucket[] = [];
  let waiting: number[] = [];
  let shorter = 0;
  for (const length of lengths) {
    const fitting = [...counts.keys()].filter(
      (text) => counts[text] > shorter && (counts[text] <= length || length === longest),
    );
    shorter = length;
    waiting = [...waiting, ...fitting];
    if (waiting.length < Math.max(least, leastShare * counts.length) && length < longest) continue;
    if (waiting.length > 0) buckets.push({ length, batch: batchOf(length), texts: waiting });
    waiting = [];
  }
  return buckets;
}

/**
 * The batch of a step: its bucket, and its texts by their numbers. In every epoch each text comes once, in an order that follows from
 * the seed; the last batch of a bucket is filled up with its first texts.
 */
export function batchAt(
  buckets: readonly Bucket[],
  seed: number,
  step: number,
): { bucket: Bucket; texts: number[] } {
  const batches = buckets.flatMap((bucket) =>
    Array.from({ length: Math.ceil(bucket.texts.length / bucket.batch) }, (_, index) => ({ bucket, index })),
  );
  const epoch = Math.floor(step / batches.length);
  const order = permutation(batches.length, randomOf(seed, 'order of batches', epoch));
  const { bucket, index } = batches[order[step % batches.length]];
  const shuffled = permutation(
    bucket.texts.length,
    randomOf(seed, 'order of texts', epoch, buckets.indexOf(bucket)),
  );
  const texts = Array.from(
    { length: bucket.batch },
    (_, at) => bucket.texts[shuffled[(index * bucket.batch + at) % shuffled.length]],
  );
  return { bucket, texts };
}
