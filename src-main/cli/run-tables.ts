import type { GroupSummary } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import type { TaskName } from '../../src-shared/names.ts';
import { methodName } from '../../src-shared/parts.ts';
import { hasSteps } from '../../src-shared/run-settings.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { columns, percent, seconds, table } from './text.ts';

/** What runs are judged by: each by its task's score. */
function scoreTitle(runs: readonly Run[]): string {
  const titles = new Set(runs.map(({ task }) => taskNamed(task).score.title));
  return titles.size > 0 ? `#test ${[...titles].join(' or ')}` : '#test accuracy';
}

/** One line per run. */
export const runTable = (runs: Run[]): string =>
  table(
    columns(
      '#run',
      'status',
      'method',
      'dataset',
      'model',
      '#rate',
      '#seed',
      '#steps',
      scoreTitle(runs),
      '#time',
      'engine',
    ),
    runs.map((run) => [
      `${run.id}`,
      run.status,
      methodName(run.config.method),
      run.config.dataset,
      run.config.model,
      `${run.config.rate}`,
      `${run.config.seed}`,
      run.status === 'finished' || !hasSteps(run.config) ? `${run.step}` : `${run.step}/${run.config.steps}`,
      run.test ? percent(taskNamed(run.task).score.of(run.test)) : '',
      run.timing ? seconds(run.timing.total_s) : '',
      run.engine?.name ?? '',
    ]),
  );

/** Groups of runs of a task over their seeds, mean ± standard deviation. */
export const groupTable = (groups: GroupSummary[], task: TaskName): string =>
  table(
    columns(
      'method and what tells it apart',
      '#seeds',
      `#test ${taskNamed(task).score.title} (mean ± sd)`,
      '#time (mean)',
    ),
    groups.map((group) => [
      group.name,
      `${group.runs.length}`,
      `${percent(group.accuracyMean)}${group.accuracySd === null ? '' : ` ± ${(100 * group.accuracySd).toFixed(1)}`}`,
      seconds(group.secondsMean),
    ]),
  );
