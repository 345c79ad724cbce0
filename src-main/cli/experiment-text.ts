import type { Cost, ExperimentCell, ExperimentResults, PlanEstimate } from '../../src-shared/contract.ts';
import { accuracyText, rateTitle, tableRows } from '../../src-shared/experiment-table.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { columns, percent, plural, seconds, table } from './text.ts';

/** An experiment for people: the table, what comparisons say of it, what was tried and what it cost. */
export function experimentText(results: ExperimentResults): string {
  const { experiment, state, cells, plannedRuns, verdicts, problem } = results;
  const { search, rates, seeds } = experiment.plan;
  const done = cells.flatMap(({ tried, runs }) => [...tried.flatMap(({ rounds }) => rounds), ...runs]);
  const finished = done.filter(({ status }) => status === 'finished').length;
  const lost = done.filter(
    ({ status }) => status === 'failed' || status === 'stopped' || status === 'deleted',
  );
  return [
    `Experiment ${experiment.id}, ${experiment.name}: ${state}, ${finished} of ${plural(plannedRuns, 'run')} finished`,
    ...(problem ? [problem.message, problem.hint] : []),
    '',
    `Test ${taskNamed(results.task).score.title} in percent over ${plural(seeds.length, 'seed')}: mean (95 % interval); * better than every other that it can be compared with`,
    table(
      columns('method', ...rates.map((rate) => `#${rateTitle(rate)}`)),
      tableRows(results).map(({ label, isBaseline, cells: row }) => [
        `${label}${isBaseline ? ' (baseline)' : ''}`,
        ...row.map((cell) => `${accuracyText(cell)}${cell.isBest ? ' *' : ''}`),
      ]),
    ),
    ...(search ? ['', triedTable(results)] : []),
    '',
    ...costLines(cells),
    ...(lost.length > 0
      ? [
          '',
          ...lost.map(({ run, status }) =>
            run === null
              ? 'A run was deleted.'
              : `Run ${run} ${status === 'failed' ? 'failed' : 'was stopped'}: see \`cotune show ${run}\`.`,
          ),
        ]
      : []),
    ...rates.flatMap((rate) => {
      const own = verdicts.filter((one) => one.rate === rate);
      return own.length > 0
        ? ['', `${rateTitle(rate)} of the training data:`, ...own.map(({ verdict }) => verdict)]
        : [];
    }),
  ].join('\n');
}

/** What a plan will take. */
export const estimateText = ({
  runs,
  seconds: whole,
  peakBytes,
  firstDecodings,
  engine,
  methods,
  notes,
}: PlanEstimate): string =>
  [
    `${plural(runs, 'run')}, about ${seconds(whole)}, at most ${(peakBytes / 2 ** 30).toFixed(1)} GiB of memory (engine ${engine}${firstDecodings > 0 ? `; ${plural(firstDecodings, 'image')} to decode first` : ''})`,
    table(
      columns('method', '#runs', '#a step', '#all'),
      methods.map((method) => [
        method.label,
        `${method.runs}`,
        seconds3(method.stepSeconds),
        seconds(method.seconds),
      ]),
    ),
    ...notes,
  ].join('\n');

const seconds3 = (value: number): string => `${value.toPrecision(3)} s`;

/** What was tried for each method and rate, by the validation score; the chosen setting is marked. */
function triedTable({ cells, methods }: ExperimentResults): string {
  const rounds = Math.max(1, ...cells.flatMap(({ tried }) => tried.map((one) => one.rounds.length)));
  const titles = Array.from({ length: rounds }, (_, round) => `#round ${round + 1}`);
  return table(
    columns('tried: method', '#rate', 'setting', ...titles, ''),
    cells.flatMap(({ method, rate, tried }) =>
      tried.map(({ text, chosen, rounds: runs }) => [
        methods[method].label,
        rateTitle(rate),
        text,
        ...titles.map((_, round) => roundText(runs[round])),
        chosen ? 'chosen' : '',
      ]),
    ),
  );
}

function roundText(run: ExperimentCell['tried'][number]['rounds'][number] | undefined): string {
  if (!run) return '';
  return run.valAccuracy === null ? run.status : `${percent(run.valAccuracy)} (${plural(run.steps, 'step')})`;
}

function costLines(cells: readonly ExperimentCell[]): string[] {
  const sum = (costs: readonly Cost[]): string => {
    const total = (of: (cost: Cost) => number) => costs.reduce((all, cost) => all + of(cost), 0);
    return `${plural(
      total(({ runs }) => runs),
      'run',
    )}, ${plural(
      total(({ steps }) => steps),
      'step',
    )}, ${seconds(total((cost) => cost.seconds))}`;
  };
  return [
    `Search: ${sum(cells.map(({ cost }) => cost.search))}. Trainings with what it chose: ${sum(cells.map(({ cost }) => cost.final))}.`,
  ];
}
