/**
 * p-values adjusted for being several (Holm 1979, Scandinavian Journal of Statistics 6, 65–70), in the order given: sorted
 * ascending with r from 0, the running maximum of min(1, (m − r) p). One below α is then below it by chance in at most a
 * share α of whole families, however the tests depend on each other.
 */
export function holm(p: readonly number[]): number[] {
  const order = [...p.keys()].sort((i, j) => p[i] - p[j]);
  const adjusted = new Array<number>(p.length);
  let running = 0;
  for (const [r, i] of order.entries()) {
    running = Math.max(running, Math.min(1, (p.length - r) * p[i]));
    adjusted[i] = running;
  }
  return adjusted;
}
