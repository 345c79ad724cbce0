import { type Command, Option } from 'commander';
import { allRuns } from '../../../src-shared/all-runs.ts';
import { type RunStatus, runStatuses } from '../../../src-shared/domain.ts';
import { runDocument } from '../run-document.ts';
import { runTable } from '../run-tables.ts';
import { type CommonOptions, common, number, runId, withService } from '../session.ts';

interface ListOptions extends CommonOptions {
  dataset?: string;
  experiment?: number;
  status?: RunStatus;
}

export function runsCommand(program: Command): void {
  common(program.command('runs'), ['cotune runs', 'cotune runs --dataset monkeys --status finished --json'])
    .description('list the runs, newest first')
    .option('--dataset <name>', 'only runs on this dataset')
    .option('--experiment <n>', 'only runs of this experiment', number)
    .addOption(new Option('--status <name>', 'only runs in this state').choices([...runStatuses]))
    .action((options: ListOptions) =>
      withService(options, async (service) => {
        const { dataset, experiment, status } = options;
        const runs = await allRuns(service, { dataset, experiment, status });
        runs.sort((a, b) => b.id - a.id);
        const json = await Promise.all(runs.map((run) => runDocument(service, run)));
        return { json, text: runs.length > 0 ? runTable(runs) : 'No runs. Start one: cotune train --help' };
      }),
    );
}

export function deleteCommand(program: Command): void {
  common(program.command('delete'), ['cotune delete 12', 'cotune delete 12 13 14'])
    .description('delete runs with their weights and results')
    .argument('<run...>', 'numbers of runs', collectRuns)
    .action((runs: number[], options: CommonOptions) =>
      withService(options, async (service) => {
        // All of them are looked up before the first is gone.
        for (const run of runs) await service.call('runs.get', { run });
        for (const run of runs) await service.call('runs.delete', { run });
        return {
          json: { deleted: runs },
          text: `${runs.length === 1 ? `Run ${runs[0]} is` : `Runs ${runs.join(', ')} are`} deleted.`,
        };
      }),
    );
}

/** Commander calls this once per argument, with what it returned before. */
export function collectRuns(text: string, before: number[] | undefined): number[] {
  const run = runId(text);
  return before?.includes(run) ? before : [...(before ?? []), run];
}
