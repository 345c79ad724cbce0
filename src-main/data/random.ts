import { createHash } from 'node:crypto';

/** Numbers in [0, 1), one after another. */
export type Random = () => number;

/**
 * A stream of random numbers that follows from a seed, what it is for, and up to three whole numbers (step, position …)
 * alone, so that any draw can be made again by itself, and no two streams meet. The generator is Threefry-4x32 with 20
 * rounds (Salmon et al., «Parallel Random Numbers: As Easy as 1, 2, 3», SC 2011): for each key a bijection of 128-bit
 * counters. The key is SHA-256 of seed and purpose; the counters are `at` and the block that is drawn, so that streams of one
 * key differ in every block until 2³² of them are drawn.
 */
export function randomOf(seed: number, purpose: string, ...at: readonly number[]): Random {
  if (at.length > 3) throw new RangeError('A stream is told apart by three numbers at most.');
  const key = keyOf(seed, purpose);
  const [first = 0, second = 0, third = 0] = at;
  let block: Uint32Array = Uint32Array.of();
  let blocks = 0;
  let used = 4;
  return () => {
    if (used === 4) {
      block = threefry([blocks++, first, second, third], key);
      used = 0;
    }
    return block[used++] / 4294967296;
  };
}

/** A number between `low` and `high` whose logarithm is uniform. */
export function logUniformOf([low, high]: readonly [number, number], random: Random): number {
  const least = Math.log(low);
  return Math.exp(least + random() * (Math.log(high) - least));
}

/** A normal number, mean 0 and deviation 1, of two uniform ones (Box and Muller, 1958). */
export const normalOf = (random: Random): number =>
  // 1 - u is never zero.
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

let lastKey = { seed: Number.NaN, purpose: '', key: Uint32Array.of() };

function keyOf(seed: number, purpose: string): Uint32Array {
  if (lastKey.seed === seed && lastKey.purpose === purpose) return lastKey.key;
  const digest = createHash('sha256').update(`${seed}\n${purpose}`).digest();
  const key = Uint32Array.from({ length: 4 }, (_, index) => digest.readUInt32LE(4 * index));
  lastKey = { seed, purpose, key };
  return key;
}

/** Rotations of the two pairs of words in four rounds, of the odd and of the even turns: the paper's table 2. */
const oddTurn = [10, 26, 11, 21, 13, 27, 23, 5] as const;
const evenTurn = [6, 20, 17, 11, 25, 10, 18, 20] as const;
const parity = 0x1bd11bda;

/** One block: four words of a counter, under a key of four words, to four random words. */
export function threefry(counter: readonly number[], key: ArrayLike<number>): Uint32Array {
  const keys = [key[0], key[1], key[2], key[3], parity ^ key[0] ^ key[1] ^ key[2] ^ key[3]];
  let a = (counter[0] + keys[0]) | 0;
  let b = (counter[1] + keys[1]) | 0;
  let c = (counter[2] + keys[2]) | 0;
  let d = (counter[3] + keys[3]) | 0;
  // 20 rounds; the words of each pair change partners from round to round.
  for (let turn = 1; turn <= 5; turn++) {
    const by = turn % 2 === 1 ? oddTurn : evenTurn;
    a = (a + b) | 0;
    b = ((b << by[0]) | (b >>> (32 - by[0]))) ^ a;
    c = (c + d) | 0;
    d = ((d << by[1]) | (d >>> (32 - by[1]))) ^ c;
    a = (a + d) | 0;
    d = ((d << by[2]) | (d >>> (32 - by[2]))) ^ a;
    c = (c + b) | 0;
    b = ((b << by[3]) | (b >>> (32 - by[3]))) ^ c;
    a = (a + b) | 0;
    b = ((b << by[4]) | (b >>> (32 - by[4]))) ^ a;
    c = (c + d) | 0;
    d = ((d << by[5]) | (d >>> (32 - by[5]))) ^ c;
    a = (a + d) | 0;
    d = ((d << by[6]) | (d >>> (32 - by[6]))) ^ a;
    c = (c + b) | 0;
    b = ((b << by[7]) | (b >>> (32 - by[7]))) ^ c;
    a = (a + keys[turn % 5]) | 0;
    b = (b + keys[(turn + 1) % 5]) | 0;
    c = (c + keys[(turn + 2) % 5]) | 0;
    d = (d + keys[(turn + 3) % 5] + turn) | 0;
  }
  return Uint32Array.of(a, b, c, d);
}

/** The indices 0 … count − 1 in an order drawn from `random` (Fisher–Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order;
}
