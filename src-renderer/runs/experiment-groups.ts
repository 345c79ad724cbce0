import type { Run } from '../../src-shared/domain.ts';
import { groupRuns } from '../../src-shared/groups.ts';
import { meanAndSd } from '../../src-shared/statistics.ts';

/** Test accuracy of groups of finished runs that differ only in seed, the best first. */
export const experimentGroups = (runs: readonly Run[]) =>
  groupRuns(runs.filter(({ test }) => test !== null))
    .map(({ name, runs: members }) => ({ name, ...meanAndSd(members.map(({ test }) => test!.accuracy)) }))
    .sort((a, b) => b.mean - a.mean);
