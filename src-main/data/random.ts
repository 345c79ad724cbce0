/** Numbers in [0, 1), one after another. */
export type Random = () => number;

/**
 * A stream of random numbers that follows from its integer keys (seed, step, position …) alone, so that any draw
 * can be made again by itself. The generator is sfc32 (C. Doty-Humphrey, PractRand).
 */
export function randomOf(...keys: readonly number[]): Random {
  let a = 0x9e3779b9 | 0;
  let b = 0x243f6a88 | 0;
  let c = 0xb7e15162 | 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 4294967296;
  };
  for (const key of keys) {
    a ^= key | 0;
    b ^= Math.floor(key / 4294967296) | 0;
    for (let round = 0; round < 12; round++) next();
  }
  return next;
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
