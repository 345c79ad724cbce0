import { type Command, Option } from 'commander';
import { EngineChoice, type Finding, FindingKindName, FindingState } from '../../../src-shared/domain.ts';
import { findingTitle } from '../../../src-shared/finding-kinds.ts';
import { taskNamed } from '../../../src-shared/tasks/index.ts';
import { awaitTask } from '../await-work.ts';
import { findingLine } from '../findings-text.ts';
import { snakeCase } from '../output.ts';
import { openProgress } from '../progress.ts';
import { type CommonOptions, common, number, runId, withService } from '../session.ts';
import { plural } from '../text.ts';
import { editCommands } from './dataset-edits.ts';
import { listCommands } from './dataset-list.ts';

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
  common(dataset.command('check <dataset>'), [
    'cotune dataset check monkeys --model mnv2',
    'cotune dataset check monkeys --run 12',
  ])
    .description(
      'look for likely wrong labels and for images alike, with linear probes of a pre-trained network; of texts, for what it does not read',
    )
    .option('--model <name>', 'the pre-trained network: all images')
    .option('--run <run>', 'or a finished run: its test images or texts, by its predictions', runId)
    .addOption(new Option('--engine <name>', 'what computes').choices(EngineChoice.options).default('auto'))
    .option('--limit <n>', 'list at most so many of each', number, 20)
    .action(check);
  editCommands(dataset);
  listCommands(dataset);
}

/** What a check looks for: by a run, or by a network of images or texts. */
const checkedKinds = {
  run: ['wrong-label'],
  images: ['wrong-label', 'similar'],
  texts: ['unknown-characters', 'too-long'],
} as const;

const check = (
  dataset: string,
  options: CommonOptions & { model?: string; run?: number; engine: EngineChoice; limit: number },
): Promise<void> =>
  withService(options, async (service) => {
    const { model, run, engine, limit } = options;
    await awaitTask(
      service,
      () => service.call('datasets.check', { dataset, model, run, engine }),
      openProgress(),
    );
    const found: Finding[] = [];
    const lines: string[] = [];
    const { task } = await service.call('datasets.get', { dataset });
    const kinds = run === undefined ? checkedKinds[taskNamed(task).takes] : checkedKinds.run;
    for (const kind of kinds) {
      const page = await service.call('datasets.findings', { dataset, kind, state: 'open', limit });
      found.push(...page.findings);
      lines.push(
        `${findingTitle(kind)}: ${page.total}`,
        ...page.findings.map((finding) => `  ${finding.id}  ${findingLine(finding)}`),
      );
    }
    return { json: snakeCase(found), text: lines.join('\n') };
  });

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
