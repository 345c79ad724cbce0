import { normalOf, type Random } from './random.ts';

/** A number from Beta(α, α), by two from Gamma(α). */
export function betaOf(alpha: number, random: Random): number {
  const [a, b] = [gammaOf(alpha, random), gammaOf(alpha, random)];
  // Both can be too small for a number where α is: then either end is as likely.
  return a + b > 0 ? a / (a + b) : Math.round(random());
}

/** A number from Gamma(α, 1). Marsaglia and Tsang, «A Simple Method for Generating Gamma Variables», ACM TOMS 2000. */
function gammaOf(alpha: number, random: Random): number {
  if (alpha < 1) return gammaOf(alpha + 1, random) * (1 - random()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  for (;;) {
    const x = normalOf(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - random()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
