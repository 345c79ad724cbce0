import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Dataset } from '../../../src-shared/domain.ts';
import { awaitTask } from '../await-work.ts';
import { snakeCase } from '../output.ts';
import { openProgress } from '../progress.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';
import { columns, plural, someOf, table } from '../text.ts';

export function importCommand(program: Command): void {
  common(program.command('import <dir>'), [
    'cotune import ~/photos/monkeys --name monkeys',
    'cotune import ./birds --name birds --seed 1 --json',
  ])
    .description('import a folder of labelled images (nothing is copied)')
    .requiredOption('--name <name>', 'name of the dataset; an existing one is brought up to date')
    .option('--seed <n>', 'chooses the test images where the folder has no test split', number, 0)
    .action((dir: string, options: CommonOptions & { name: string; seed: number }) =>
      withService(options, async (service) => {
        const input = { path: resolve(dir), name: options.name, seed: options.seed };
        await awaitTask(service, () => service.call('datasets.import', input), openProgress());
        const dataset = await service.call('datasets.get', { dataset: options.name });
        return { json: snakeCase(dataset), text: describe(dataset) };
      }),
    );
}

function describe(dataset: Dataset): string {
  const { train, val, test } = dataset.counts;
  const rows = dataset.classes.map((name, label) => {
    const counts = dataset.classCounts[label];
    return [name, `${counts.train}`, `${counts.val}`, `${counts.test}`];
  });
  const issues = [...Map.groupBy(dataset.issues, (issue) => issue.kind)].flatMap(([kind, members]) => [
    `${kind.replaceAll('-', ' ')}: ${plural(members.length, 'file')}`,
    ...someOf(
      members.map((issue) => `  ${issue.path}: ${issue.detail}`),
      5,
    ),
  ]);
  return [
    `${dataset.name}: ${plural(dataset.classes.length, 'class', 'classes')}; ${train} training, ${val} validation, ${test} test images`,
    ...dataset.notes,
    '',
    table(columns('class', '#train', '#val', '#test'), rows),
    ...(issues.length > 0 ? ['', ...issues] : []),
  ].join('\n');
}
