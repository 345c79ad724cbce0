import type { Command } from 'commander';
import type {
  ChangedImage,
  Client,
  Comparison,
  Interval,
  PairComparison,
  PairDetail,
} from '../../../src-shared/contract.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Catalog } from '../../../src-shared/parts.ts';
import { titleOfSetting } from '../../../src-shared/setting-titles.ts';
import { taskNamed } from '../../../src-shared/tasks/index.ts';
import type { TaskDescription } from '../../../src-shared/tasks/task.ts';
import { snakeCase } from '../output.ts';
import { groupTable } from '../run-tables.ts';
import { type CommonOptions, common, withService } from '../session.ts';
import { columns, percent, plural, points, someOf, table } from '../text.ts';
import { collectRuns } from './runs.ts';

const changesShown = 10;

const explanation = `
Of two runs the verdict is about these two trained networks on samples like the tested ones. About methods it speaks where both
were trained with two or more common seeds and nothing else differs; a seed that was run twice counts once. p-values are
adjusted (Holm) for the number of verdicts shown. A class without test samples has no recall (–).
`;

export function compareCommand(program: Command): void {
  common(program.command('compare'), ['cotune compare 12 13', 'cotune compare 12 13 14 15 --json'])
    .description('compare runs: settings, scores with intervals, gains by class, what is fixed and broken')
    .addHelpText('after', explanation)
    .argument('<run...>', 'numbers of two or more runs', collectRuns)
    .action((runs: number[], options: CommonOptions) =>
      withService(options, async (service) => {
        if (runs.length < 2)
          throw new CotuneError(
            'bad-input',
            'A comparison needs two different runs.',
            'See `cotune runs` for their numbers.',
          );
        const { pairs, ...comparison } = await service.call('runs.compare', { runs });
        const details = await Promise.all(pairs.map((pair) => detail(service, pair)));
        const catalog = await service.call('parts.list', {});
        return {
          json: snakeCase({ ...comparison, pairs: details }),
          text: [
            ...describeGroups(comparison),
            ...details.map((one) => describe(one, taskNamed(comparison.task), catalog)),
          ].join('\n\n'),
        };
      }),
    );
}

interface Detail extends Omit<PairDetail, 'fixed' | 'broken'> {
  fixed: ChangedImage[];
  broken: ChangedImage[];
}

/** A pair with its classes and changed images. What it is worth among others is said with the others. */
async function detail(client: Client, pair: PairComparison): Promise<Detail> {
  const { a, b } = pair;
  const { classes } = await client.call('runs.comparePair', { a, b });
  const [fixed, broken] = await Promise.all([
    changes(client, a, b, 'fixed'),
    changes(client, a, b, 'broken'),
  ]);
  return { ...pair, classes, fixed, broken };
}

async function changes(client: Client, a: number, b: number, kind: 'fixed' | 'broken') {
  const limit = 1000;
  const all: ChangedImage[] = [];
  for (let total = 1; all.length < total; ) {
    const page = await client.call('runs.changes', { a, b, kind, offset: all.length, limit });
    total = page.images.length === 0 ? 0 : page.total;
    for (const image of page.images) all.push(image);
  }
  return all;
}

/** Groups and what can be said of them, where there is more to say than of two runs. */
function describeGroups({ task, groups, differences }: Omit<Comparison, 'pairs'>): string[] {
  if (groups.length < 3 && groups.every(({ runs, repeats }) => runs.length + repeats.length === 1)) return [];
  const repeated = groups.flatMap(({ name, repeats }) =>
    repeats.length === 0
      ? []
      : [`${name}: run ${repeats.join(', ')} repeats a seed and is not counted again.`],
  );
  return [
    groupTable(groups, task),
    ...(repeated.length > 0 ? [repeated.join('\n')] : []),
    ...(differences.length > 0 ? [differences.map(({ verdict }) => verdict).join('\n')] : []),
  ];
}

function describe(pair: Detail, task: TaskDescription, catalog: Catalog): string {
  const { score, sample, samples, classesOf, pairedTest } = task;
  const { a, b, classes, difference } = pair;
  const lines = [
    `Run ${b} against run ${a}`,
    pair.verdict,
    '',
    table(columns('', `#test ${score.title}`, '#95 % interval'), [
      [`run ${a}`, percent(pair.accuracyA.value), range(pair.accuracyA, percent)],
      [`run ${b}`, percent(pair.accuracyB.value), range(pair.accuracyB, percent)],
      ...(difference ? [['difference', points(difference.value), range(difference, points)]] : []),
    ]),
  ];
  if (pair.mcnemarP !== null) lines.push(`${pairedTest}: p = ${pair.mcnemarP.toPrecision(2)}`);
  if (pair.configDifferences.length > 0)
    lines.push(
      '',
      table(
        columns('setting', `run ${a}`, `run ${b}`),
        pair.configDifferences.map(({ key, a, b }) => [titleOfSetting(key, catalog, task.takes), a, b]),
      ),
    );
  lines.push(
    '',
    table(
      columns(
        ...(classesOf === 'entities' ? ['type', '#entities'] : ['class', `#${samples}`]),
        `#recall ${a}`,
        `#recall ${b}`,
        '#gain',
      ),
      classes.map(({ name, support, recallA, recallB, gain }) => [
        name,
        `${support}`,
        percent(recallA),
        percent(recallB),
        points(gain),
      ]),
    ),
  );
  const predicted = (label: number) =>
    classesOf === 'entities' ? plural(label, 'error') : classes[label]?.name;
  const shown = (changed: ChangedImage[]) =>
    someOf(
      changed.map(
        ({ sample, predictedA, predictedB }) =>
          `  ${sample.path}: ${predicted(predictedA)} → ${predicted(predictedB)}`,
      ),
      changesShown,
    );
  lines.push('', `${plural(pair.fixed.length, sample)} fixed`, ...shown(pair.fixed));
  lines.push(`${plural(pair.broken.length, sample)} broken`, ...shown(pair.broken));
  return lines.join('\n');
}

const range = ({ low, high }: Interval, show: (value: number) => string): string =>
  `${show(low)} to ${show(high)}`;
