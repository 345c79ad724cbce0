import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Client } from '../../../src-shared/contract.ts';
import { type Approach, approaches, type EngineChoice, engineChoices } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { checkOutput } from '../../formats/output-file.ts';
import { awaitTask } from '../await-work.ts';
import { classListHelp, classListInput } from '../class-list-option.ts';
import { matrixFormat, writeMatrix } from '../matrix-file.ts';
import { openProgress } from '../progress.ts';
import { relationshipTable } from '../run-document.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';
import { temperatureLines } from '../temperature-text.ts';
import { columns, percent, someOf, table } from '../text.ts';

interface Options extends CommonOptions {
  dataset?: string;
  model?: string;
  approach: Approach;
  rate?: number;
  seed?: number;
  engine?: EngineChoice;
  trainLogits?: string;
  trainLabels?: string;
  valLogits?: string;
  valLabels?: string;
  calibrationData?: string;
  sourceScale?: number;
  sourceClasses?: string;
  targetClasses?: string;
  top: number;
  out?: string;
  force?: boolean;
}

export function relationshipCommand(program: Command): void {
  common(program.command('relationship'), [
    'cotune relationship --dataset monkeys --model mnv2',
    'cotune relationship --dataset monkeys --model mnv2 --approach direct --out relationship.csv',
    'cotune relationship --train-logits a.npy --train-labels b.npy --val-logits c.npy --val-labels d.npy --json',
  ])
    .description('learn, store and print p(source class | target class)')
    .option('--dataset <name>', 'images: the dataset')
    .option('--model <name>', 'images: the pre-trained network')
    .option('--rate <share>', 'images: share of the training images of each class (default: 1)', number)
    .option('--seed <n>', 'images: chooses the validation images and the subset (default: 0)', number)
    .addOption(
      new Option('--engine <name>', 'images: what runs the network (default: auto)').choices([
        ...engineChoices,
      ]),
    )
    .option(
      '--calibration-data <folder>',
      'images: fit the temperature first, on a folder of images for every source class, named after it',
    )
    .option('--train-logits <npy>', 'arrays: source logits, float [images, sources]')
    .option('--train-labels <npy>', 'arrays: target labels, integer [images]')
    .option('--val-logits <npy>', 'arrays: source logits of the validation images')
    .option('--val-labels <npy>', 'arrays: target labels of the validation images')
    .option(
      '--source-scale <s>',
      'arrays: multiplies the source logits: 1 / temperature (default: 1)',
      number,
    )
    .option('--source-classes <file>', `arrays: source class names, ${classListHelp}`)
    .option('--target-classes <file>', `arrays: target class names, ${classListHelp}`)
    .addOption(
      new Option('--approach <name>', 'how it is learned').choices([...approaches]).default('reverse'),
    )
    .option('--top <n>', 'source classes named per target class', number, 5)
    .option(
      '--out <file>',
      'write the matrix [targets, sources] too: .npy, .csv (names exactly as they are) or .json',
    )
    .option('--force', 'replace the file where there is one')
    .action(relationship);
}

const relationship = (options: Options): Promise<void> =>
  withService({ ...options, job: jobOf(options) }, async (service) => {
    const format = options.out === undefined ? null : matrixFormat(options.out);
    if (options.out !== undefined) checkOutput(resolve(options.out), options.force ?? false);
    const start = startOf(options);
    const id = await awaitTask(
      service,
      () =>
        start.from === 'images'
          ? service.call('relationships.learn', start.input)
          : service.call('relationships.learnArrays', start.input),
      openProgress(),
    );
    const { relationship: learned, rows } = await service.call('relationships.get', {
      relationship: id,
      top: options.top,
    });
    if (options.out !== undefined && format)
      writeMatrix(options.out, format, learned, await wholeMatrix(service, id));
    const json = {
      id,
      approach: learned.approach,
      dataset: learned.datasetName,
      model: learned.modelName,
      source_temperature: learned.sourceTemperature,
      temperature_source: learned.temperatureSource,
      calibration: learned.calibration ?? null,
      C: learned.C,
      scale: learned.scale,
      val_accuracy: learned.valAccuracy,
      grid: learned.grid,
      notes: learned.notes,
      targets: rows,
      out: options.out === undefined ? null : resolve(options.out),
    };
    const grid = learned.grid.map((point) => [
      `${point.C}${point.C === learned.C ? ' *' : ''}`,
      point.objective.toFixed(4),
      percent(point.val_accuracy),
    ]);
    const lines = () => [
      `Relationship ${id}: ${learned.approach} approach, ${learned.targetClasses.length} target and ${learned.sourceClasses.length} source classes`,
      ...temperatureLines(learned),
      ...(learned.C === null ? [] : ['', table(columns('C', '#objective', '#validation accuracy'), grid)]),
      ...(learned.scale === null ? [] : [`Calibration scale ${learned.scale.toFixed(3)}`]),
      '',
      relationshipTable(rows, options.top),
      ...(learned.notes.length === 0 ? [] : ['', ...someOf(learned.notes, 20)]),
      ...(options.out === undefined ? [] : ['', `The matrix is in ${options.out}.`]),
    ];
    return { json, text: () => lines().join('\n') };
  });

/** Every row, as many at a time as a message takes. */
async function wholeMatrix(service: Client, relationship: number) {
  let { next, ...matrix } = await service.call('relationships.matrix', { relationship });
  const parts = [matrix.values];
  while (next !== null) {
    ({ next, ...matrix } = await service.call('relationships.matrix', { relationship, from: next }));
    parts.push(matrix.values);
  }
  return { ...matrix, values: parts.flat() };
}

const jobOf = ({ trainLogits }: Options) =>
  trainLogits === undefined ? 'relationship' : 'relationship-arrays';

type Images = { from: 'images'; input: { dataset: string; model: string; approach: Approach } };
type Arrays = {
  from: 'arrays';
  input: {
    trainLogits: string;
    trainLabels: string;
    valLogits: string;
    valLabels: string;
    approach: Approach;
  };
};

/** What to learn from: images or arrays, all that it needs given and nothing of the other. */
function startOf(options: Options): Images | Arrays {
  const { approach } = options;
  const images = { dataset: options.dataset, model: options.model };
  const arrays = {
    trainLogits: options.trainLogits,
    trainLabels: options.trainLabels,
    valLogits: options.valLogits,
    valLabels: options.valLabels,
  };
  const imagesOnly = {
    rate: options.rate,
    seed: options.seed,
    engine: options.engine,
    calibrationData: options.calibrationData,
  };
  const arraysOnly = {
    sourceScale: options.sourceScale,
    sourceClasses: classListInput(options.sourceClasses),
    targetClasses: classListInput(options.targetClasses),
  };
  const fromArrays = anyGiven(arrays);
  const foreign = given(fromArrays ? { ...images, ...imagesOnly } : arraysOnly);
  const missing = Object.entries(fromArrays ? arrays : images).filter(([, value]) => value === undefined);
  if (missing.length > 0)
    throw new CotuneError(
      'bad-input',
      `${flags(missing)} ${missing.length === 1 ? 'is' : 'are'} missing.`,
      'Give --dataset and --model, or the four arrays --train-logits, --train-labels, --val-logits and --val-labels.',
    );
  if (foreign.length > 0)
    throw new CotuneError(
      'bad-input',
      `${flags(foreign)} cannot be used when learning from ${fromArrays ? 'arrays' : 'images'}.`,
      'Leave it out.',
    );
  return fromArrays
    ? { from: 'arrays', input: { ...(arrays as Arrays['input']), ...arraysOnly, approach } }
    : { from: 'images', input: { ...(images as Images['input']), ...imagesOnly, approach } };
}

const given = (values: object) => Object.entries(values).filter(([, value]) => value !== undefined);
const anyGiven = (values: object): boolean => given(values).length > 0;
const flags = (entries: [string, unknown][]): string =>
  entries.map(([key]) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`).join(', ');
