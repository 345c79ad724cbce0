/** What happens when and to whom follows from a seed alone; the moments at which kills fall follow from the machine too. */
export interface Dice {
  /** In [0, 1). */
  next(): number;
  below(count: number): number;
  pick<T>(from: readonly T[]): T;
}

export function dice(seed: number): Dice {
  let state = (seed * 2654435761 + 1) % 2147483647 || 1;
  const next = () => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  };
  const below = (count: number) => Math.floor(next() * count);
  return { next, below, pick: (from) => from[below(from.length)] };
}
