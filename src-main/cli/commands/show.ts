import { type Command, Option } from 'commander';
import type { Evaluation } from '../../../src-shared/contract.ts';
import { type Split, splits } from '../../../src-shared/domain.ts';
import { toErrorValue } from '../../../src-shared/errors.ts';
import { taskNamed } from '../../../src-shared/tasks/index.ts';
import type { TaskDescription } from '../../../src-shared/tasks/task.ts';
import { snakeCase } from '../output.ts';
import { describeRun, relationshipTable, runDocument } from '../run-document.ts';
import { type CommonOptions, common, runId, withService } from '../session.ts';
import { columns, percent, plural, table } from '../text.ts';

interface Options extends CommonOptions {
  split: Split;
}

const confusionsShown = 10;

export function showCommand(program: Command): void {
  common(program.command('show'), ['cotune show 12', 'cotune show 12 --split val', 'cotune show 12 --json'])
    .description('one run: settings, scores by class, confusions, relationship')
    .argument('<run>', 'number of the run', runId)
    .addOption(new Option('--split <name>', 'whose predictions').choices([...splits]).default('test'))
    .addHelpText(
      'after',
      '\nMacro F1 is the mean over the classes that occur among the labels or predictions. Recall of a class without samples, and\nprecision of a class that is never predicted, are no number (–; null in --json).',
    )
    .action((id: number, options: Options) =>
      withService(options, async (service) => {
        const run = await service.call('runs.get', { run: id });
        const { split } = options;
        const task = taskNamed(run.task);
        const evaluation =
          run.status === 'finished' ? await service.call('runs.evaluation', { run: id, split }) : null;
        const relationship =
          run.relationshipId === null
            ? null
            : await service.call('relationships.get', { relationship: run.relationshipId, top: 5 });
        const document = await runDocument(service, run);
        const text = [describeRun(run, document)];
        if (run.error) text.push('', `${run.status}: ${run.error.message}`, toErrorValue(run.error).hint);
        if (evaluation) {
          text.push('', classTable(evaluation, task));
          // Entities are mistaken in other ways than for each other.
          if (!evaluation.entities) text.push('', ...confusions(evaluation, task));
        }
        if (relationship)
          text.push(
            '',
            `Relationship ${relationship.relationship.id} (${relationship.relationship.approach} approach)`,
            relationshipTable(relationship.rows, 3),
          );
        return {
          json: {
            ...document,
            evaluation: snakeCase(evaluation),
            relationship_targets: relationship?.rows ?? null,
          },
          text: text.join('\n'),
        };
      }),
    );
}

function classTable({ classes, split, entities }: Evaluation, { samples }: TaskDescription): string {
  return table(
    columns(
      `${entities ? 'type' : 'class'} (${split})`,
      entities ? '#entities' : `#${samples}`,
      '#recall',
      '#95 % interval',
      '#precision',
      '#F1',
    ),
    classes.map((score) => [
      score.name,
      `${score.support}`,
      percent(score.recall),
      score.recallInterval?.map((bound) => (100 * bound).toFixed(0)).join('–') ?? '–',
      percent(score.precision),
      percent(score.f1),
    ]),
  );
}

/** The pairs of classes that are mistaken most often. */
function confusions({ classes, confusion }: Evaluation, { sample }: TaskDescription): string[] {
  const pairs = confusion
    .flatMap((row, truth) => row.map((count, predicted) => ({ count, truth, predicted })))
    .filter(({ count, truth, predicted }) => count > 0 && truth !== predicted)
    .sort((a, b) => b.count - a.count);
  if (pairs.length === 0) return [`No ${sample} is mistaken.`];
  return [
    'Most frequent mistakes',
    ...pairs
      .slice(0, confusionsShown)
      .map(
        ({ count, truth, predicted }) =>
          `  ${plural(count, sample)} of ${classes[truth].name} taken for ${classes[predicted].name}`,
      ),
  ];
}
