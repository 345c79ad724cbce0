import { type Command, Option } from 'commander';
import type { ExperimentResults } from '../../../src-shared/contract.ts';
import { CotuneError, toErrorValue } from '../../../src-shared/errors.ts';
import { asCsv, asLatex, asMarkdown } from '../../../src-shared/experiment-table.ts';
import { awaitExperiment } from '../await-experiment.ts';
import { estimateText, experimentText } from '../experiment-text.ts';
import { snakeCase } from '../output.ts';
import { openProgress } from '../progress.ts';
import { type Answer, type CommonOptions, common, number, withService } from '../session.ts';
import { readPlan } from '../settings-file.ts';
import { inWrittenNames, type WrittenNames } from '../written-names.ts';

const formats = { markdown: asMarkdown, latex: asLatex, csv: asCsv };

interface Options extends CommonOptions {
  resume?: number;
  show?: number;
  stop?: number;
  estimate?: boolean;
  table?: keyof typeof formats;
}

const help = `
For every method and rate the same number of settings is tried for the same number of steps on the first seed, and the best on
validation images is trained with every seed; the test images are looked at once, at the end. docs/experiments.md says more.

A plan:
  name: monkeys at three rates
  dataset: monkeys
  model: mnv2
  methods: [finetune, cotuning, { name: cotuning, shuffled: true }, bss+cotuning]
  rates: [0.15, 0.3, 0.5]
  seeds: [0, 1, 2]
  config: { steps: 300, size: 128 }
  search: { learning_rates: [0.3, 1, 3], strengths: 2, halving: true }   # factors; the default; or off
  baseline: true                                                         # the default
`;

export function experimentCommand(program: Command): void {
  common(program.command('experiment [plan]'), [
    'cotune experiment plan.yaml',
    'cotune experiment plan.yaml --estimate',
    'cotune experiment --resume 3',
    'cotune experiment --show 3 --table latex',
  ])
    .description(
      'compare methods × rates × seeds, each with the same search for its settings, from a YAML plan',
    )
    .option('--resume <experiment>', 'go on with one that was interrupted, or in which runs failed', number)
    .option('--show <experiment>', 'what one has come to so far', number)
    .option('--stop <experiment>', 'take its runs out of the queue', number)
    .option('--estimate', 'say what the plan will take, and start nothing')
    .option('--no-estimate', 'start without saying so first')
    .addOption(
      new Option('--table <format>', 'print the table method × rate alone').choices(Object.keys(formats)),
    )
    .addHelpText('after', help)
    .action((path: string | undefined, options: Options) =>
      withService(options, async (service) => {
        const { resume, show, stop } = options;
        if ([path, resume, show, stop].filter((given) => given !== undefined).length !== 1)
          throw new CotuneError(
            'bad-input',
            'One of a plan, --resume, --show and --stop has to be given.',
            'Use `cotune experiment PLAN.yaml`, or `cotune experiment --resume EXPERIMENT`.',
          );
        const known = show ?? stop;
        if (stop !== undefined) await service.call('experiments.stop', { experiment: stop });
        if (known !== undefined)
          return answerOf(await service.call('experiments.get', { experiment: known }), options.table, false);
        const names: WrittenNames = new Map();
        const plan = path === undefined ? null : await readPlan(path, { search: {}, baseline: true }, names);
        const progress = openProgress();
        if (plan && options.estimate !== false) {
          progress.say('Measuring a short run of each method…');
          const found = await inWrittenNames(names, () => service.call('experiments.estimate', plan));
          if (options.estimate) return { json: snakeCase(found), text: estimateText(found) };
          progress.say(estimateText(found));
        }
        const experiment =
          plan === null
            ? await service.call('experiments.resume', { experiment: resume! })
            : await inWrittenNames(names, () => service.call('experiments.start', plan));
        return answerOf(
          await awaitExperiment(service, experiment, progress, 'experiment'),
          options.table,
          true,
        );
      }),
    );
}

/** `isEnd`: whether all of it was to be there. */
function answerOf(results: ExperimentResults, format: Options['table'], isEnd: boolean): Answer {
  const { experiment, state } = results;
  const error =
    !isEnd || state === 'finished'
      ? null
      : toErrorValue(
          new CotuneError(
            'failed',
            `Experiment ${experiment.id} is ${state}.`,
            `See what failed with \`cotune runs --experiment ${experiment.id}\`; go on: cotune experiment --resume ${experiment.id}`,
          ),
        );
  return {
    json: { ...(snakeCase(results) as object), error },
    text: format ? formats[format](results) : experimentText(results),
    error,
  };
}
