import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { EditRequest } from '../../../src-shared/contract.ts';
import { type Dataset, type Edit, Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { entitiesInLine, splitTagLine } from '../../../src-shared/tag-line.ts';
import { taskNamed } from '../../../src-shared/tasks/index.ts';
import type { Service } from '../../service/service.ts';
import { snakeCase } from '../output.ts';
import { type Answer, type CommonOptions, common, withService } from '../session.ts';
import { columns, plural, table } from '../text.ts';

/** Commands that change what a dataset is, and never a file of it. */
export function editCommands(dataset: Command): void {
  common(dataset.command('edits <dataset>'), [
    'cotune dataset edits monkeys',
    'cotune dataset edits monkeys --all --json',
  ])
    .description('list what was changed, the newest first')
    .option('--all', 'with what was undone')
    .action((name: string, options: CommonOptions & { all?: boolean }) =>
      withService(options, async (service) => {
        const page = await service.call('datasets.edits', {
          dataset: name,
          undone: options.all,
          limit: 1000,
        });
        const { task } = await service.call('datasets.get', { dataset: name });
        const text = [editTable(page.edits, task), `${plural(page.total, 'edit')} in all.`].join('\n');
        return { json: snakeCase(page), text };
      }),
    );
  common(dataset.command('exclude <dataset> <path...>'), [
    'cotune dataset exclude monkeys train/howler/12.jpg',
  ])
    .description('leave images or texts out of the dataset; their files stay')
    .action((name: string, paths: string[], options: CommonOptions) =>
      edit(
        name,
        options,
        paths.map((path) => ({ action: 'exclude', path })),
      ),
    );
  common(dataset.command('relabel <dataset> <path...>'), [
    'cotune dataset relabel monkeys train/howler/12.jpg --to marmoset',
    'cotune dataset relabel conll2003 train.txt:00012 --tags "B-PER I-PER O B-LOC"',
  ])
    .description('give images or texts another class, or a sentence other tags')
    .option('--to <class>', 'the class that they are of')
    .option('--tags <tags>', 'or a tag for each word: IOB1, IOB2 or IOBES, divided by blanks')
    .option('--new-class', 'it may be a class, or types of entities, that are not there yet')
    .action((name: string, paths: string[], options: CommonOptions & LabelOptions) =>
      withService(options, async (service) => {
        const to = labelOf(options);
        const newClass = options.newClass ?? false;
        return made(
          service,
          name,
          paths.map((path) => ({ action: 'relabel', path, to, newClass })),
        );
      }),
    );
  common(dataset.command('move <dataset> <path...>'), [
    'cotune dataset move monkeys test/howler/3.jpg --to train',
  ])
    .description('put images or texts into another split')
    .addOption(new Option('--to <split>', 'where they belong').choices(Split.options).makeOptionMandatory())
    .action((name: string, paths: string[], options: CommonOptions & { to: Split }) =>
      edit(
        name,
        options,
        paths.map((path) => ({ action: 'move', path, to: options.to })),
      ),
    );
  common(dataset.command('merge <dataset>'), ['cotune dataset merge monkeys --from Marmoset --into marmoset'])
    .description('make one class, or type of entity, of two')
    .requiredOption('--from <class>', 'the class that goes')
    .requiredOption('--into <class>', 'the class that gets its images')
    .action((name: string, options: CommonOptions & { from: string; into: string }) =>
      edit(name, options, [{ action: 'merge', name: options.from, into: options.into }]),
    );
  common(dataset.command('rename <dataset>'), ['cotune dataset rename monkeys --from n3 --to "bald uakari"'])
    .description('give a class, or a type of entity, another name')
    .requiredOption('--from <class>', 'its name')
    .requiredOption('--to <name>', 'its new name')
    .action((name: string, options: CommonOptions & { from: string; to: string }) =>
      edit(name, options, [{ action: 'rename', name: options.from, to: options.to }]),
    );
  common(dataset.command('keep <dataset> <finding...>'), ['cotune dataset keep monkeys 12 13'])
    .description('say of findings, by their numbers, that all is as it should be')
    .action((name: string, findings: string[], options: CommonOptions) =>
      edit(
        name,
        options,
        findings.map((one) => ({ action: 'keep', finding: numberOf(one) })),
      ),
    );
  common(dataset.command('undo <dataset> [edit]'), [
    'cotune dataset undo monkeys',
    'cotune dataset undo monkeys 17',
  ])
    .description('take back what was changed last, or together with an edit; do it again to have it again')
    .action((name: string, number: string | undefined, options: CommonOptions) =>
      withService(options, async (service) => {
        const which = number === undefined ? undefined : numberOf(number);
        const { edits, dataset: now } = await service.call('datasets.undo', { dataset: name, edit: which });
        const said = [`Undone: ${plural(edits.length, 'edit')}.`, editTable(edits, now.task)];
        return answer(now, { undone: edits }, said);
      }),
    );
  common(dataset.command('export-edits <dataset> <file>'), [
    'cotune dataset export-edits monkeys edits.csv',
    'cotune dataset export-edits monkeys edits.sh',
  ])
    .description('write the edits as a table (.csv), or as a shell script that moves the files alike (.sh)')
    .option('--force', 'replace the file if it is there')
    .action((name: string, file: string, options: CommonOptions & { force?: boolean }) =>
      withService(options, async (service) => {
        const written = await service.call('datasets.exportEdits', {
          dataset: name,
          path: resolve(file),
          format: file.endsWith('.sh') ? 'sh' : 'csv',
          overwrite: options.force,
        });
        return { json: snakeCase(written), text: `${written.path}: ${plural(written.edits, 'edit')}` };
      }),
    );
  common(dataset.command('import-edits <dataset> <file>'), ['cotune dataset import-edits monkeys edits.csv'])
    .description('add the edits of a table to those there are')
    .action((name: string, file: string, options: CommonOptions) =>
      withService(options, async (service) => {
        const {
          made,
          problems,
          dataset: now,
        } = await service.call('datasets.importEdits', {
          dataset: name,
          path: resolve(file),
        });
        return answer(now, { made, problems }, [
          `Added: ${plural(made, 'edit')}.`,
          ...problems.map(({ target, problem }) => `Without effect on ${target}: ${problem}.`),
        ]);
      }),
    );
}

interface LabelOptions {
  to?: string;
  tags?: string;
  newClass?: boolean;
}

function labelOf({ to, tags }: LabelOptions): string | string[] {
  if ((to === undefined) === (tags === undefined))
    throw new CotuneError(
      'bad-input',
      'What becomes of them is said by a class or by tags, one of the two.',
      'Give --to, or --tags for a sentence.',
    );
  return to ?? splitTagLine(tags!);
}

const edit = (dataset: string, options: CommonOptions, edits: EditRequest[]): Promise<void> =>
  withService(options, (service) => made(service, dataset, edits));

async function made(service: Service, dataset: string, edits: EditRequest[]): Promise<Answer> {
  const { made: count, dataset: now } = await service.call('datasets.edit', { dataset, edits });
  const said = count > 0 ? `Made: ${plural(count, 'edit')}.` : 'It was so already: nothing was changed.';
  return answer(now, { made: count }, [said]);
}

/** What became of a dataset, after what was done. */
function answer(dataset: Dataset, done: Record<string, unknown>, lines: string[]): Answer {
  const { name, hash, edits, counts, classes } = dataset;
  const { samples, categories } = taskNamed(dataset.task);
  const size = `${counts.train} training, ${counts.val} validation, ${counts.test} test ${samples} in ${plural(classes.length, ...categories)}`;
  return {
    json: snakeCase({ ...done, dataset }),
    text: [...lines, `${name}: ${size}; ${plural(edits, 'edit')}; hash ${hash}`].join('\n'),
  };
}

function editTable(edits: readonly Edit[], task: Dataset['task']): string {
  const isTagged = taskNamed(task).classesOf === 'entities';
  return table(
    columns('#edit', 'who', 'when', 'what', 'of', 'before', 'after', 'remark'),
    edits.map(({ id, who, at, action, target, before, after, problem, undoneAt }) => {
      const shown = (value: string | null) =>
        isTagged && action === 'relabel' && value !== null ? entitiesInLine(value) : (value ?? '');
      return [
        `${id}`,
        who,
        at.slice(0, 19).replace('T', ' '),
        action,
        target,
        shown(before),
        shown(after),
        undoneAt ? 'undone' : (problem ?? ''),
      ];
    }),
  );
}

function numberOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError(`“${text}” is no number of one.`);
  return Number(text);
}
