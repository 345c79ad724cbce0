import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { ImportChoice, ImportLayout, TableColumns } from '../../../src-shared/contract.ts';
import type { Dataset } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { taskNamed } from '../../../src-shared/tasks/index.ts';
import { awaitTask } from '../await-work.ts';
import { someFindings } from '../findings-text.ts';
import { snakeCase } from '../output.ts';
import { previewText } from '../preview-text.ts';
import { openProgress } from '../progress.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';
import { columns, plural, table } from '../text.ts';

interface Options extends CommonOptions {
  name?: string;
  format?: string;
  preview?: boolean;
  option?: string[];
  column?: string[];
  groupBy?: string;
  followLinks?: boolean;
  unpack: boolean;
  classOrder?: 'plain' | 'natural';
  seed: number;
  classesAt?: number;
  train?: string[];
  val?: string[];
  test?: string[];
  splits: boolean;
}

export function importCommand(program: Command): void {
  common(program.command('import <path>'), [
    'cotune import ~/photos/monkeys --name monkeys',
    'cotune import CUB_200_2011.tgz --name birds',
    'cotune import food-101.tar.gz --name food --unpack',
    'cotune import ./birds --name birds --seed 1 --json',
    'cotune import ./conll2003 --name news',
    'cotune import ./plants --name species --classes-at 2',
    'cotune import ./table.csv --preview',
    'cotune import ./birds --name birds15 --option rate=15',
    'cotune import ./set --name set --train batch1 batch2 --test holdout',
  ])
    .description(
      'import labelled images or texts, from a folder, an archive, a table or files of texts (no image is copied, but by --unpack)',
    )
    .option('--name <name>', 'name of the dataset; an existing one is brought up to date')
    .option('--preview', 'show the first rows and what they are taken for; import nothing')
    .option(
      '--format <name>',
      'how the dataset lies: auto (it is found out, and said), or one of `cotune dataset formats`; default: auto, or as it was imported before',
    )
    .option('--option <name=value...>', 'options of the format: docs/formats.md')
    .option(
      '--column <role=name...>',
      'which column of a table is which: file, label, split, group, or crop=LEFT,TOP,WIDTH,HEIGHT; split= for none',
    )
    .option(
      '--group-by <pattern>',
      'a regular expression of what in the names of images must not stand on two sides of a split, e.g. "patient(\\d+)"',
    )
    .addOption(
      new Option(
        '--class-order <order>',
        'of classes that the dataset does not order itself: plain, 10 before 2, as torchvision, or natural, 2 before 10, as timm',
      ).choices(['plain', 'natural']),
    )
    .option('--follow-links', 'also links that lead out of the folder')
    .option('--unpack', 'unpack archives into the data folder, and read the dataset there', false)
    .option('--seed <n>', 'chooses the test images where the folder has no test split', number, 0)
    .option(
      '--classes-at <level>',
      'level of the folders that name the classes, counted below train/ or, without splits, below <path> (default: 1)',
      number,
    )
    .option('--train <folder...>', 'folders of the training split, where their names do not say it')
    .option('--val <folder...>', 'folders of the validation split')
    .option('--test <folder...>', 'folders of the test split')
    .option('--no-splits', 'folders named train or test are classes like any other')
    .action((path: string, options: Options) =>
      withService(options, async (service) => {
        if (options.preview) {
          const preview = await service.call('datasets.preview', {
            path: resolve(path),
            choice: choiceOf(options),
          });
          return { json: snakeCase(preview), text: previewText(preview) };
        }
        const { name, seed, unpack } = options;
        if (name === undefined) throw withoutName();
        const input = { path: resolve(path), name, seed, choice: choiceOf(options), unpack };
        await awaitTask(service, () => service.call('datasets.import', input), openProgress());
        const dataset = await service.call('datasets.get', { dataset: name });
        return {
          json: snakeCase(dataset),
          text: [describe(dataset), ...(await someFindings(service, dataset))].join('\n'),
        };
      }),
    );
}

/** What the flags say about how the dataset lies. */
function choiceOf(options: Options): ImportChoice {
  const layout = layoutOf(options);
  return {
    ...(options.format !== undefined && { format: options.format }),
    ...(layout && { layout }),
    ...(options.option && { values: pairs('--option', options.option) }),
    ...(options.column && { columns: columnsOf(options.column) }),
    ...(options.groupBy !== undefined && { groupBy: options.groupBy }),
    ...(options.classOrder && { classOrder: options.classOrder }),
    ...(options.followLinks && { links: 'all' as const }),
  };
}

const roles = ['file', 'label', 'split', 'group', 'crop'];

function columnsOf(given: readonly string[]): TableColumns {
  const { crop, ...one } = pairs('--column', given);
  const unknown = Object.keys(one).find((role) => !roles.includes(role));
  if (unknown !== undefined)
    throw new CotuneError('bad-input', `--column knows no ${unknown}.`, `It knows ${roles.join(', ')}.`);
  if (crop === undefined) return one;
  const edges = crop.split(',');
  if (edges.length !== 4)
    throw new CotuneError(
      'bad-input',
      `--column crop=${crop} names ${edges.length} columns.`,
      'Name four: crop=LEFT,TOP,WIDTH,HEIGHT.',
    );
  return { ...one, crop: edges as [string, string, string, string] };
}

/** `name=value` as names and values. */
function pairs(flag: string, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new CotuneError('bad-input', `${flag} ${pair} has no “=”.`, `Write it as ${flag} NAME=VALUE.`);
    }),
  );
}

const withoutName = (): CotuneError =>
  new CotuneError(
    'bad-input',
    '--name is missing.',
    'Give the dataset a name, or look at it first with --preview.',
  );

/** What the flags say about the folders; undefined where they say nothing. */
function layoutOf({ classesAt, train, val, test, splits }: Options): ImportLayout | undefined {
  const named = train ?? val ?? test;
  if (named && !splits) {
    throw new CotuneError(
      'bad-input',
      '--no-splits contradicts the folders that are named as splits.',
      'Give one of them.',
    );
  }
  if (named && !train) {
    throw new CotuneError(
      'bad-input',
      '--train is missing beside the other splits.',
      'Name the training folders too: --train FOLDER.',
    );
  }
  if (train) return { classesAt, splits: { train, val, test } };
  if (!splits) return { classesAt, splits: 'none' };
  return classesAt === undefined ? undefined : { classesAt, splits: 'names' };
}

function describe(dataset: Dataset): string {
  const { train, val, test } = dataset.counts;
  const rows = dataset.classes.map((name, label) => {
    const counts = dataset.classCounts[label];
    return [name, `${counts.train}`, `${counts.val}`, `${counts.test}`];
  });
  return [
    `${dataset.name}: ${plural(dataset.classes.length, 'class', 'classes')}; ${train} training, ${val} validation, ${test} test ${taskNamed(dataset.task).samples}`,
    ...(dataset.format ? [`${dataset.format.title}: ${dataset.format.why}`] : []),
    ...dataset.notes,
    '',
    table(columns('class', '#train', '#val', '#test'), rows),
  ].join('\n');
}
