import type { Reals } from './reals.ts';

/** aᵀ b for vectors of equal length. Four sums at once: one would wait for every addition before the next. */
export function dot(a: Reals, b: Reals): number {
  const whole = a.length - (a.length % 4);
  let [first, second, third, fourth] = [0, 0, 0, 0];
  for (let j = 0; j < whole; j += 4) {
    first += a[j] * b[j];
    second += a[j + 1] * b[j + 1];
    third += a[j + 2] * b[j + 2];
    fourth += a[j + 3] * b[j + 3];
  }
  for (let j = whole; j < a.length; j++) first += a[j] * b[j];
  return first + second + (third + fourth);
}

export function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let j = 0; j < values.length; j++) sum += values[j];
  return sum;
}

export const norm = (a: Reals): number => Math.sqrt(dot(a, a));

/** sum += factor · a */
export function addTo(sum: Float32Array, factor: number, a: Float32Array): void {
  for (let j = 0; j < sum.length; j++) sum[j] += factor * a[j];
}
