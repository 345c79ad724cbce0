/** How many classes a prediction of a single image names. */
const kept = 5;

/** The most probable classes by name, falling; of equals the first one first. */
export function mostProbable(
  probabilities: Float32Array,
  names: readonly string[],
): { name: string; p: number }[] {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  return order.slice(0, kept).map((k) => ({ name: names[k], p: probabilities[k] }));
}
