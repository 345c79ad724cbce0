/** Numbers in [0, 1), one after another. */
export type Random = () => number;

/**
 * A stream of random numbers that depends on `keys` only (seed, epoch, position …), so that any batch can be made
 * again by itself. sfc32 (Chris Doty-Humphrey, PractRand), its state filled by mixing the keys.
 */
export function randomOf(...keys: number[]): Random {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4294967296;
  };
  for (const key of keys) {
    a ^= key | 0;
    b ^= Math.floor(key / 4294967296) | 0;
    for (let round = 0; round < 8; round++) next();
  }
  return next;
}

/** The indices 0 … count-1 in an order drawn from `random` (Fisher–Yates). */
export function permutation(count: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** A 32-bit key of a text (FNV-1a), for random streams that depend on a name. */
export function keyOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
