import { resolve } from 'node:path';
import type { Command } from 'commander';
import { type CommonOptions, common, number, withService } from '../session.ts';

interface Options extends CommonOptions {
  out: string;
  force?: boolean;
}

export function reportCommand(program: Command): void {
  common(program.command('report'), ['cotune report 3 --out report.html'])
    .description(
      "write an experiment's plan, hashes, environment, tables, curves and relationships into one offline HTML file",
    )
    .argument('<experiment>', 'number of the experiment', number)
    .requiredOption('--out <file>', 'file to write')
    .option('--force', 'replace the file where there is one')
    .action((experiment: number, { out, force, ...options }: Options) =>
      withService(options, async (service) => {
        const written = await service.call('experiments.report', {
          experiment,
          path: resolve(out),
          overwrite: force,
        });
        return {
          json: { experiment, ...written },
          text: `${written.path}: ${(written.bytes / 1e3).toFixed(1)} kB`,
        };
      }),
    );
}
