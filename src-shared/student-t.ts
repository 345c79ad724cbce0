/** Student's t distribution: two-sided tail probabilities and the points that belong to them. */

/** P(|T| ≥ t) of Student's t with `df` degrees of freedom: I_x(df/2, 1/2) at x = df / (df + t²). */
export function tTail(t: number, df: number): number {
  const square = t * t;
  return incompleteBeta(df / (df + square), square / (df + square), df / 2, 0.5);
}

/** The t with P(|T| ≥ t) = `p`, 0 < p ≤ 1, to a relative 1e-10: secant steps on ln t, within a shrinking bracket. */
export function tPoint(p: number, df: number): number {
  if (p >= 1) return 0;
  const target = Math.log(p);
  const excess = (u: number) => Math.log(tTail(Math.exp(u), df)) - target;
  let [low, high] = [-20, 1];
  while (excess(high) > 0) [low, high] = [high, high + 2];
  let [atLow, atHigh] = [excess(low), excess(high)];
  for (let i = 0; i < 200 && high - low > 1e-11; i++) {
    // A tail that underflowed to zero has no slope to follow.
    const secant = Number.isFinite(atHigh) ? high - (atHigh * (high - low)) / (atHigh - atLow) : Number.NaN;
    const inside = i % 3 !== 2 && secant > low && secant < high;
    const u = inside ? secant : (low + high) / 2;
    const at = excess(u);
    if (Math.abs(at) < 1e-12) return Math.exp(u);
    if (at > 0) [low, atLow] = [u, at];
    else [high, atHigh] = [u, at];
  }
  return Math.exp((low + high) / 2);
}

/**
 * Regularized incomplete beta function I_x(a, b), with y = 1 − x given apart so that no digit is lost: continued fraction by
 * Lentz's method (Press et al. 2007, Numerical Recipes, section 6.4).
 */
function incompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(y));
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(y, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number) => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= c * d;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return fraction;
}

/** ln Γ(x), x > 0: Stirling's series after the recurrence has brought x above 10. */
function logGamma(x: number): number {
  let product = 1;
  let z = x;
  for (; z < 10; z++) product *= z;
  const square = 1 / (z * z);
  const series =
    (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}
