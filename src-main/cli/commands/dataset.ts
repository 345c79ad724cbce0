import { type Command, Option } from 'commander';
import { FindingKindName, FindingState } from '../../../src-shared/domain.ts';
import { findingTitle } from '../../../src-shared/finding-kinds.ts';
import { findingLine } from '../findings-text.ts';
import { snakeCase } from '../output.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';
import { plural } from '../text.ts';
import { editCommands } from './dataset-edits.ts';

interface FindingsOptions extends CommonOptions {
  kind?: FindingKindName;
  state?: FindingState;
  leaks?: boolean;
  after?: number;
  limit: number;
}

export function datasetCommand(program: Command): void {
  const dataset = program
    .command('dataset')
    .description('what is wrong with a dataset, and putting it right without touching a file');
  common(dataset.command('findings <dataset>'), [
    'cotune dataset findings monkeys',
    'cotune dataset findings monkeys --kind near-duplicate --leaks --json',
  ])
    .description(
      'list what was found in a dataset: duplicates, leaks between splits, files that were left out …',
    )
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(FindingKindName.options))
    .addOption(
      new Option('--state <state>', 'only those not decided about, kept as they are, or put right').choices(
        FindingState.options,
      ),
    )
    .option('--leaks', 'only pairs across splits')
    .option('--after <id>', 'only those after this one', number)
    .option('--limit <n>', 'at most so many', number, 200)
    .action(listFindings);
  editCommands(dataset);
}

const listFindings = (dataset: string, options: FindingsOptions): Promise<void> =>
  withService(options, async (service) => {
    const { kind, state, leaks, after, limit } = options;
    const page = await service.call('datasets.findings', { dataset, kind, state, leaks, after, limit });
    const lines = [...Map.groupBy(page.findings, (finding) => finding.kind)].flatMap(([name, findings]) => [
      findingTitle(name),
      ...findings.map(
        (finding) =>
          `  ${finding.id}  ${findingLine(finding)}${finding.state === 'open' ? '' : ` (${finding.state})`}`,
      ),
    ]);
    const text = [...lines, `${plural(page.total, 'finding')} in all.`].join('\n');
    return { json: snakeCase(page), text };
  });
