import { resolve } from 'node:path';
import type { Command } from 'commander';
import { snakeCase } from '../output.ts';
import { type CommonOptions, common, withService } from '../session.ts';
import { columns, plural, table } from '../text.ts';

/** Commands that say what is in a dataset, and how datasets may lie. */
export function listCommands(dataset: Command): void {
  common(dataset.command('list <dataset>'), [
    'cotune dataset list monkeys --out ~/photos/monkeys/list.csv',
    'cotune import ~/photos/monkeys/list.csv --name monkeys-again',
  ])
    .description(
      'write the exact list of its images or texts: a table of path, class or tags, split and group',
    )
    .requiredOption('--out <file>', 'the table (CSV); in the folder of the images it can be imported again')
    .option('--overwrite', 'replace a file that is there')
    .action((name: string, options: CommonOptions & { out: string; overwrite?: boolean }) =>
      withService(options, async (service) => {
        const { out, overwrite } = options;
        const written = await service.call('datasets.writeList', {
          dataset: name,
          path: resolve(out),
          overwrite,
        });
        return { json: snakeCase(written), text: `${written.path}: ${plural(written.images, 'image')}` };
      }),
    );
  common(dataset.command('formats'), ['cotune dataset formats', 'cotune dataset formats --json'])
    .description('list how datasets may lie, for import --format, and the options of each')
    .action((options: CommonOptions) =>
      withService(options, async (service) => {
        const formats = await service.call('datasets.formats', {});
        const rows = formats.map(({ name, title, help, options: own }) => [
          name,
          title,
          [help, ...own.map((one) => `--option ${one.name}=… (${one.default || 'none'}): ${one.help}`)].join(
            '; ',
          ),
        ]);
        return { json: snakeCase(formats), text: table(columns('format', 'title', 'what lies where'), rows) };
      }),
    );
}
