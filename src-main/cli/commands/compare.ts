import type { Command } from 'commander';
import type { Interval, PairComparison } from '../../../src-shared/contract.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { snakeCase } from '../output.ts';
import { groupTable } from '../run-tables.ts';
import { type CommonOptions, common, withService } from '../session.ts';
import { columns, percent, plural, points, someOf, table } from '../text.ts';
import { collectRuns } from './runs.ts';

const imagesShown = 10;

export function compareCommand(program: Command): void {
  common(program.command('compare'), ['cotune compare 12 13', 'cotune compare 12 13 14 15 --json'])
    .description('compare runs: settings, accuracies with intervals, gains by class, images fixed and broken')
    .argument('<run...>', 'numbers of two or more runs', collectRuns)
    .action((runs: number[], options: CommonOptions) =>
      withService(options, async (service) => {
        if (runs.length < 2)
          throw new CotuneError(
            'bad-input',
            'A comparison needs two different runs.',
            'See `cotune runs` for their numbers.',
          );
        const comparison = await service.call('runs.compare', { runs });
        const groups = comparison.groups.some((group) => group.runs.length > 1)
          ? [groupTable(comparison.groups)]
          : [];
        const text = [...groups, ...comparison.pairs.map(describe)].join('\n\n');
        return { json: snakeCase(comparison), text };
      }),
    );
}

function describe(pair: PairComparison): string {
  const { a, b, classes, difference } = pair;
  const lines = [
    `Run ${b} against run ${a}`,
    pair.verdict,
    ...pair.reasons,
    '',
    table(columns('', '#test accuracy', '#95 % interval'), [
      [`run ${a}`, percent(pair.accuracyA.value), range(pair.accuracyA, percent)],
      [`run ${b}`, percent(pair.accuracyB.value), range(pair.accuracyB, percent)],
      ...(difference ? [['difference', points(difference.value), range(difference, points)]] : []),
    ]),
  ];
  if (pair.mcnemarP !== null) lines.push(`McNemar's test: p = ${pair.mcnemarP.toPrecision(2)}`);
  if (pair.configDifferences.length > 0)
    lines.push(
      '',
      table(
        columns('setting', `run ${a}`, `run ${b}`),
        pair.configDifferences.map((setting) => [setting.key, setting.a, setting.b]),
      ),
    );
  lines.push(
    '',
    table(
      columns('class', '#images', `#recall ${a}`, `#recall ${b}`, '#gain'),
      classes.map((score) => [
        score.name,
        `${score.support}`,
        percent(score.recallA),
        percent(score.recallB),
        points(score.gain),
      ]),
    ),
  );
  const images = (changed: PairComparison['fixed']) =>
    someOf(
      changed.map(
        ({ sample, predictedA, predictedB }) =>
          `  ${sample.path}: ${classes[predictedA]?.name} → ${classes[predictedB]?.name}`,
      ),
      imagesShown,
    );
  lines.push('', `${plural(pair.fixed.length, 'image')} fixed`, ...images(pair.fixed));
  lines.push(`${plural(pair.broken.length, 'image')} broken`, ...images(pair.broken));
  return lines.join('\n');
}

const range = ({ low, high }: Interval, show: (value: number) => string): string =>
  `${show(low)} to ${show(high)}`;
