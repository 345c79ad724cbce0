/** The command line: what the contract offers, one command per file. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { printText } from './output.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('cotune')
  .description('Co-tuning of pre-trained networks on your own labelled images.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('See --help, after a command too.');

/** In the order in which help lists them. The file of the one that is asked for is loaded alone. */
const commands: Record<string, () => Promise<(program: Command) => unknown>> = {
  import: async () => (await import('./commands/import.ts')).importCommand,
  dataset: async () => (await import('./commands/dataset.ts')).datasetCommand,
  models: async () => (await import('./commands/models.ts')).modelsCommand,
  rank: async () => (await import('./commands/rank.ts')).rankCommand,
  relationship: async () => (await import('./commands/relationship.ts')).relationshipCommand,
  train: async () => (await import('./commands/train.ts')).trainCommand,
  experiment: async () => (await import('./commands/experiment.ts')).experimentCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  sweep: async () => (await import('./commands/sweep.ts')).sweepCommand,
  soup: async () => (await import('./commands/soup.ts')).soupCommand,
  interpolate: async () => (await import('./commands/interpolate.ts')).interpolateCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  show: async () => (await import('./commands/show.ts')).showCommand,
  compare: async () => (await import('./commands/compare.ts')).compareCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  explain: async () => (await import('./commands/explain.ts')).explainCommand,
  export: async () => (await import('./commands/export.ts')).exportCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  delete: async () => (await import('./commands/runs.ts')).deleteCommand,
  serve: async () => (await import('./commands/serve.ts')).serveCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  bench: async () => (await import('./commands/bench.ts')).benchCommand,
};

const asked = process.argv[2] ?? '';
const loaded = Object.hasOwn(commands, asked) ? [commands[asked]] : Object.values(commands);
for (const load of loaded) (await load())(program);

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Help that was asked for is an answer; everything else that commander refuses is bad usage.
  if (error.exitCode !== 0) {
    process.exitCode = 2;
    if (process.argv.includes('--json')) {
      const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
      await printText(
        JSON.stringify({ error: { code: 'bad-input', message, hint: 'See --help.' } }, null, 2),
      );
    }
  }
}
