/** The command line: what the contract offers, one command per file. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { compareCommand } from './commands/compare.ts';
import { datasetCommand } from './commands/dataset.ts';
import { doctorCommand } from './commands/doctor.ts';
import { experimentCommand } from './commands/experiment.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { interpolateCommand } from './commands/interpolate.ts';
import { modelsCommand } from './commands/models.ts';
import { predictCommand } from './commands/predict.ts';
import { rankCommand } from './commands/rank.ts';
import { relationshipCommand } from './commands/relationship.ts';
import { reportCommand } from './commands/report.ts';
import { deleteCommand, runsCommand } from './commands/runs.ts';
import { serveCommand } from './commands/serve.ts';
import { showCommand } from './commands/show.ts';
import { soupCommand } from './commands/soup.ts';
import { sweepCommand } from './commands/sweep.ts';
import { trainCommand } from './commands/train.ts';
import { verifyCommand } from './commands/verify.ts';
import { printText } from './output.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('cotune')
  .description('Co-tuning of pre-trained networks on your own labelled images.')
  .version(version)
  .exitOverride()
  .showHelpAfterError('See --help, after a command too.');

for (const add of [
  importCommand,
  datasetCommand,
  modelsCommand,
  rankCommand,
  relationshipCommand,
  trainCommand,
  experimentCommand,
  reportCommand,
  sweepCommand,
  soupCommand,
  interpolateCommand,
  runsCommand,
  showCommand,
  compareCommand,
  predictCommand,
  explainCommand,
  exportCommand,
  verifyCommand,
  deleteCommand,
  serveCommand,
  doctorCommand,
  benchCommand,
])
  add(program);

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
