/**
 * Marsaglia's xorshift32 (2003, Journal of Statistical Software 8(14)), as the reference fixtures draw: indices below `n`,
 * floor(x / 2³² · n).
 */
export function indexDraws(state: number): (n: number) => number {
  let x = state;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return Math.floor(((x >>> 0) / 4294967296) * n);
  };
}
