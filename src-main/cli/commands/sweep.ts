import type { Command } from 'commander';
import { allRuns } from '../../../src-shared/all-runs.ts';
import type { Client, Experiment, GroupSummary } from '../../../src-shared/contract.ts';
import type { Run } from '../../../src-shared/domain.ts';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import { awaitExperiment } from '../await-experiment.ts';
import { snakeCase } from '../output.ts';
import { openProgress } from '../progress.ts';
import { runDocument } from '../run-document.ts';
import { groupTable, runTable } from '../run-tables.ts';
import { type Answer, type CommonOptions, common, number, withService } from '../session.ts';
import { readPlan } from '../settings-file.ts';
import { plural } from '../text.ts';
import { inWrittenNames, type WrittenNames } from '../written-names.ts';

interface Options extends CommonOptions {
  resume?: number;
}

const example = `
A plan:
  name: monkeys at three rates
  dataset: monkeys
  model: mnv2
  methods: [finetune, cotuning]
  rates: [0.15, 0.3, 0.5]
  seeds: [0, 1, 2]
  config: { steps: 150, size: 128, learning_rate: 0.0005 }
`;

export function sweepCommand(program: Command): void {
  common(program.command('sweep [plan]'), ['cotune sweep plan.yaml', 'cotune sweep --resume 3'])
    .description('train methods × rates × seeds with settings as given: an experiment without a search')
    .option('--resume <sweep>', 'go on with an interrupted sweep', number)
    .addHelpText('after', example)
    .action((plan: string | undefined, options: Options) =>
      withService(options, async (service) => {
        if ((plan === undefined) === (options.resume === undefined))
          throw new CotuneError(
            'bad-input',
            plan === undefined ? 'No plan is given.' : 'A plan and --resume are given together.',
            'Use `cotune sweep PLAN.yaml`, or `cotune sweep --resume SWEEP`.',
          );
        const sweep =
          plan === undefined
            ? await service.call('experiments.resume', { experiment: options.resume! })
            : await begin(service, plan);
        await awaitExperiment(service, sweep, openProgress(), 'sweep');
        return answerOf(service, sweep);
      }),
    );
}

async function begin(client: Client, path: string): Promise<Experiment> {
  const names: WrittenNames = new Map();
  const plan = await readPlan(path, {}, names);
  return inWrittenNames(names, () => client.call('experiments.start', plan));
}

async function answerOf(client: Client, sweep: Experiment): Promise<Answer> {
  const runs = (await allRuns(client, { experiment: sweep.id })).sort((a, b) => a.id - b.id);
  const finished = runs.filter((run) => run.status === 'finished');
  const { groups, differences } =
    finished.length < 2
      ? { groups: [], differences: [] }
      : await client.call('runs.compare', { runs: finished.map((run) => run.id) });
  const error = errorOf(sweep, runs, finished.length);
  return {
    json: {
      sweep: sweep.id,
      name: sweep.name,
      runs: await Promise.all(runs.map((run) => runDocument(client, run))),
      groups: groups.map(groupDocument),
      differences: snakeCase(differences),
      error,
    },
    text: [
      `Sweep ${sweep.id}, ${sweep.name}: ${finished.length} of ${plural(runs.length, 'run')} finished`,
      '',
      runTable(runs),
      ...(groups.length > 0 ? ['', groupTable(groups, runs[0].task), ''] : []),
      ...differences.map(({ verdict }) => verdict),
    ].join('\n'),
    error,
  };
}

const groupDocument = (group: GroupSummary) => ({
  name: group.name,
  method: group.method,
  rate: group.rate,
  runs: group.runs,
  seeds: group.seeds,
  repeats: group.repeats,
  accuracy_mean: group.accuracyMean,
  accuracy_sd: group.accuracySd,
  seconds_mean: group.secondsMean,
});

function errorOf(sweep: Experiment, runs: Run[], finished: number) {
  if (finished === runs.length) return null;
  return toErrorValue(
    new CotuneError(
      'failed',
      `${plural(runs.length - finished, 'run')} of sweep ${sweep.id} did not finish.`,
      `Go on: cotune sweep --resume ${sweep.id}`,
    ),
  );
}
