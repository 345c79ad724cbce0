import { permutation, randomOf } from './random.ts';

/** Passes over `count` things, each in an order of its own that follows from (seed, purpose, `which`, pass). */
export function passes(
  count: number,
  seed: number,
  purpose: string,
  ...which: readonly number[]
): (pass: number) => Int32Array {
  const known = new Map<number, Int32Array>();
  return (pass) => {
    const before = known.get(pass);
    if (before) return before;
    const order = permutation(count, randomOf(seed, purpose, ...which, pass));
    if (known.size > 3) known.clear();
    known.set(pass, order);
    return order;
  };
}
