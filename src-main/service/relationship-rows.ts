import type { Relationship, RelationshipRow } from '../../src-shared/domain.ts';

/** The strongest source classes of every target class of a matrix [targets, sources]. */
export const relationshipRows = (
  { targetClasses, sourceClasses }: Pick<Relationship, 'targetClasses' | 'sourceClasses'>,
  values: Float32Array,
  top: number,
): RelationshipRow[] =>
  targetClasses.map((name, target) =>
    row(
      name,
      values.subarray(target * sourceClasses.length, (target + 1) * sourceClasses.length),
      sourceClasses,
      top,
    ),
  );

/** The strongest sources of one target class; entropy in nats. One pass: a matrix may have thousands of sources a row. */
function row(name: string, p: Float32Array, sources: readonly string[], top: number): RelationshipRow {
  const order: number[] = [];
  let entropy = 0;
  for (let k = 0; k < p.length; k++) {
    if (p[k] > 0) entropy -= p[k] * Math.log(p[k]);
    if (order.length === top && p[k] <= p[order[top - 1]]) continue;
    const at = order.findIndex((other) => p[k] > p[other]);
    order.splice(at < 0 ? order.length : at, 0, k);
    if (order.length > top) order.pop();
  }
  return { name, entropy, sources: order.map((k) => ({ name: sources[k], p: p[k] })) };
}
