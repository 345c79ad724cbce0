import { type Command, Option } from 'commander';
import { type EngineChoice, engineChoices } from '../../../src-shared/domain.ts';
import { awaitTask } from '../await-work.ts';
import { openProgress } from '../progress.ts';
import { type CommonOptions, common, number, withService } from '../session.ts';
import { columns, table } from '../text.ts';

interface Options extends CommonOptions {
  dataset: string;
  models?: string[];
  rate?: number;
  engine?: EngineChoice;
}

export function rankCommand(program: Command): void {
  common(program.command('rank'), [
    'cotune rank --dataset monkeys',
    'cotune rank --dataset monkeys --models mnv2 squeezenet --json',
  ])
    .description(
      'which network? several opinions before any training, from one pass over the training samples each',
    )
    .requiredOption('--dataset <name>', 'target images or texts')
    .option('--models <names...>', 'networks to rank (default: all)')
    .option('--rate <share>', 'share of the training samples of each class (default: 1)', number)
    .addOption(
      new Option('--engine <name>', 'what runs the networks (default: auto)').choices([...engineChoices]),
    )
    .action(({ dataset, models, rate, engine, ...options }: Options) =>
      withService({ ...options, job: 'rank' }, async (service) => {
        const id = await awaitTask(
          service,
          () => service.call('models.rank', { dataset, models, rate, engine }),
          openProgress(),
        );
        const ranking = await service.call('rankings.get', { ranking: id });
        const { scores, images, notes } = ranking;
        const rows = scores.map(({ name, title }) => {
          const best = Math.max(
            ...ranking.models.map(({ values }) => values[name]?.value ?? Number.NEGATIVE_INFINITY),
          );
          return [
            title,
            ...ranking.models.map(({ values }) => {
              const found = values[name];
              if (!found) return '–';
              const [value, low, high] = [found.value, found.low, found.high].map((each) =>
                each.toPrecision(4),
              );
              return `${value} (${low} to ${high})${found.value === best && ranking.models.length > 1 ? ' *' : ''}`;
            }),
          ];
        });
        const text = [
          `${ranking.models.length} networks on ${images} training samples of ${dataset}; 95 % intervals over what was looked at, * is the highest`,
          '',
          table(columns('score', ...ranking.models.map(({ model }) => model)), rows),
          '',
          ...notes,
        ];
        return { json: ranking, text: text.join('\n') };
      }),
    );
}
