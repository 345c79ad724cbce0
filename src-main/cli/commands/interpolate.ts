import type { Command } from 'commander';
import { averageRuns } from '../average-runs.ts';
import { type CommonOptions, common, runId, withService } from '../session.ts';

export function interpolateCommand(program: Command): void {
  common(program.command('interpolate'), ['cotune interpolate 12'])
    .description(
      'go from the network that a run began with to the one that it trained, and keep the best point',
    )
    .addHelpText(
      'after',
      `
θ = (1 − α) θ⁰ + α θ¹ for α = 0, 0.1 … 1, chosen on the validation samples; the result is a run of its own. It is meant for lp-ft,
whose beginning has a head that is solved for: with a new, untrained head small α tell no classes apart.`,
    )
    .argument('<run>', 'number of a finished run', runId)
    .action((run: number, options: CommonOptions) =>
      withService(options, (service) => averageRuns(service, 'interpolation', [run])),
    );
}
