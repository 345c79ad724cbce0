import { type Command, Option } from 'commander';
import { averageRuns } from '../average-runs.ts';
import { type CommonOptions, common, runId, withService } from '../session.ts';

interface Options extends CommonOptions {
  way: 'greedy' | 'uniform';
}

export function soupCommand(program: Command): void {
  common(program.command('soup'), ['cotune soup 3 4 5', 'cotune soup 3 4 5 --way uniform --json'])
    .description('make one network of several runs: the mean of their weights, as a run of its own')
    .addHelpText(
      'after',
      `
The runs have to share the pre-trained network, the data (dataset, rate and seed) and where the new head began: runs of one
seed that differ in learning rate, method or length, or runs of lp-ft. Batch norm's statistics are made anew on training images.`,
    )
    .argument('<run...>', 'numbers of finished runs')
    .addOption(
      new Option(
        '--way <name>',
        'greedy: keeps the runs that raise the validation accuracy; uniform: all of them',
      )
        .choices(['greedy', 'uniform'])
        .default('greedy'),
    )
    .action((runs: string[], { way, ...options }: Options) =>
      withService(options, (service) => averageRuns(service, `${way}-soup`, runs.map(runId))),
    );
}
