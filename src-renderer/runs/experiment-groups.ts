import type { Run } from '../../src-shared/domain.ts';
import { groupRuns } from '../../src-shared/groups.ts';
import { meanAndSd } from '../../src-shared/statistics.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';

/** Test scores of groups of finished runs that differ only in seed, the best first. */
export const experimentGroups = (runs: readonly Run[]) =>
  groupRuns(runs.filter(({ test }) => test !== null))
    .map(({ name, runs: members }) => ({
      name,
      ...meanAndSd(members.map(({ task, test }) => taskNamed(task).score.of(test!))),
    }))
    .sort((a, b) => b.mean - a.mean);
