import type { RelationshipRow } from '../../src-shared/domain.ts';
import { kinship } from './species.ts';

/** Source species that share the form or the coat of a target species. */
export const kinOf = (target: string): string[] => [...kinship[target].form, ...kinship[target].coat];

/** Share of targets whose strongest source is kin, and the probability that lies on kin, averaged over targets. */
export function agreement(rows: readonly RelationshipRow[]): { top: number; mass: number } {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const isKin = (row: RelationshipRow) => new Set(kinOf(row.name));
  return {
    top: mean(rows.map((row) => (isKin(row).has(row.sources[0].name) ? 1 : 0))),
    mass: mean(
      rows.map((row) => {
        const kin = isKin(row);
        return row.sources.reduce((sum, { name, p }) => sum + (kin.has(name) ? p : 0), 0);
      }),
    ),
  };
}
