import { type Command, Option } from 'commander';
import type { Client, RunRequest } from '../../../src-shared/contract.ts';
import { engineChoices, precisions, type Run } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { type Slot, slots } from '../../../src-shared/parts.ts';
import { presets } from '../../../src-shared/presets/index.ts';
import { awaitRun, awaitTask } from '../await-work.ts';
import { addPartFlags, givenPartOptions } from '../part-flags.ts';
import { openProgress } from '../progress.ts';
import { runAnswer } from '../run-document.ts';
import { type CommonOptions, common, number, runId, withService } from '../session.ts';
import { readRunSettings } from '../settings-file.ts';
import { inWrittenNames, type WrittenNames } from '../written-names.ts';

const bySlot = Object.fromEntries(slots.map((slot) => [slot, slot])) as { [S in Slot]: S };

/** Flags of `train` and the settings that they set. */
const settings = {
  dataset: 'dataset',
  model: 'model',
  ...bySlot,
  preset: 'preset',
  rate: 'rate',
  seed: 'seed',
  steps: 'steps',
  epochs: 'epochs',
  batch: 'batch',
  size: 'size',
  lr: 'learningRate',
  headLrMult: 'headLearningRateMultiplier',
  engine: 'engine',
  precision: 'precision',
} as const;

type Options = CommonOptions & { [K in keyof typeof settings]?: string | number } & {
  config?: string;
  calibrationData?: string;
  resume?: number;
};

export function trainCommand(program: Command): void {
  const command = program.command('train');
  // Loaded when they are needed: other commands need not wait for the methods and tf.js.
  program.hook('preSubcommand', async (_, chosen) => {
    if (chosen === command) addPartFlags(command, (await import('../../transfer/catalog.ts')).catalog());
  });
  common(command, [
    'cotune train --dataset monkeys --model mnv2 --method cotuning --rate 0.15',
    'cotune train --dataset monkeys --model mnv2 --method finetune --extras label-smoothing --size 128 --batch 32 --steps 150 --lr 0.0005 --json',
    'cotune train --config paper.yaml --seed 2',
    'cotune train --resume 12',
  ])
    .description('train one network; Ctrl-C stops it with a checkpoint')
    .option('--dataset <name>', 'target images or texts')
    .option('--model <name>', 'pre-trained network')
    .addOption(
      new Option(
        '--preset <name>',
        'defaults of what is not given: quick, paper (its repository) or tllib (its authors’ library)',
      ).choices(presets.map(({ name }) => name)),
    )
    .option('--rate <share>', 'share of the training data of each class that is used', number)
    .option('--seed <n>', 'decides splits, initial weights and batches', number)
    .option('--steps <n>', 'optimizer steps', number)
    .option('--epochs <n>', 'passes over the training samples, instead of --steps', number)
    .option('--batch <n>', 'samples per step', number)
    .option('--size <n>', 'side of the square training crop in pixels; of texts, the most pieces', number)
    .option('--lr <rate>', 'learning rate of the pre-trained layers', number)
    .option('--head-lr-mult <k>', 'the target head learns so many times faster', number)
    .addOption(new Option('--engine <name>', 'what runs the network').choices([...engineChoices]))
    .addOption(
      new Option('--precision <name>', 'mixed stores activations in half precision').choices([...precisions]),
    )
    .option(
      '--calibration-data <folder>',
      "fit the model's temperature first, on a folder of images for every source class, named after it",
    )
    .option('--config <yaml>', 'settings from a file; flags win over it')
    .option('--resume <run>', 'go on with a failed or stopped run from its last checkpoint', runId)
    .action((options: Options) =>
      withService({ ...options, job: 'train' }, async (service) => {
        const run =
          options.resume === undefined ? await start(service, options) : await resume(service, options);
        return runAnswer(service, await awaitRun(service, run.id, openProgress()));
      }),
    );
}

async function start(client: Client, options: Options): Promise<Run> {
  const names: WrittenNames = new Map();
  const request = await requestOf(options, names);
  const { model, engine } = request;
  const data = options.calibrationData;
  if (data !== undefined)
    await awaitTask(client, () => client.call('models.calibrate', { model, data, engine }), openProgress());
  return inWrittenNames(names, () => client.call('runs.start', request));
}

async function requestOf(options: Options, names: WrittenNames): Promise<RunRequest> {
  const request: Record<string, unknown> =
    options.config === undefined ? {} : await readRunSettings(options.config, names);
  const flags = givenFlags(options);
  // Steps and epochs say the same thing: the one on the command line replaces the other in the file.
  if (flags.some((flag) => flag === 'steps' || flag === 'epochs')) {
    delete request.steps;
    delete request.epochs;
  }
  for (const flag of flags) {
    request[settings[flag]] = options[flag];
    names.set(settings[flag], flagName(flag));
  }
  request.options = { ...(request.options as object), ...(await partOptions(options)) };
  for (const name of ['dataset', 'model', 'method'] as const)
    if (request[name] === undefined)
      throw new CotuneError(
        'bad-input',
        `--${name} is missing.`,
        `Give --${name} NAME, or name it in a --config file.`,
      );
  return request as RunRequest;
}

async function partOptions(options: Options): Promise<Record<string, unknown>> {
  const { catalog } = await import('../../transfer/catalog.ts');
  return givenPartOptions(options, catalog());
}

const givenFlags = (options: Options) =>
  (Object.keys(settings) as (keyof typeof settings)[]).filter((flag) => options[flag] !== undefined);

async function resume(client: Client, options: Options & { resume?: number }): Promise<Run> {
  const parts = Object.keys(await partOptions(options));
  const others = (['config', 'calibrationData'] as const).filter((flag) => options[flag] !== undefined);
  const flags = [...givenFlags(options), ...parts, ...others];
  if (flags.length > 0)
    throw new CotuneError(
      'bad-input',
      `--resume goes on with a run as it was set up: ${flags.map(flagName).join(', ')} cannot be changed.`,
      'Leave the other settings out, or start a new run without --resume.',
    );
  return client.call('runs.resume', { run: options.resume! });
}

const flagName = (name: string): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
