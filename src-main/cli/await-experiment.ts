import type { Client, Experiment, ExperimentResults } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { methodName } from '../../src-shared/parts.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { isOver, openMeter } from './await-work.ts';
import { onInterrupt } from './interrupt.ts';
import type { Progress } from './progress.ts';
import { percent } from './text.ts';

/** How often is asked whether there is more to come, where no run says so. */
const lookEveryMs = 2000;

/**
 * Follows an experiment until nothing of it is left to do; failed, stopped and deleted runs do not keep the others from their
 * ends. Errors: `cancelled` at an interrupt; what is left stays, the run that is going on with a checkpoint.
 */
export async function awaitExperiment(
  client: Client,
  { id, runs }: Pick<Experiment, 'id' | 'runs'>,
  progress: Progress,
  command: 'experiment' | 'sweep',
): Promise<ExperimentResults> {
  const mine = new Set(runs);
  const told = new Set<number>();
  let look = () => {};
  const ends = [
    client.on('run', (run) => {
      if (run.experimentId !== id) return;
      mine.add(run.id);
      if (!isOver(run)) told.delete(run.id);
      else if (!told.has(run.id)) {
        told.add(run.id);
        progress.say(`run ${run.id}: ${outcome(run)}`);
        look();
      }
    }),
    client.on('run.deleted', ({ run }) => mine.has(run) && look()),
    openMeter(client, mine, progress),
  ];
  try {
    return await new Promise<ExperimentResults>((resolve, reject) => {
      look = () => {
        client.call('experiments.get', { experiment: id }).then((results) => {
          if (results.state !== 'running') resolve(results);
        }, reject);
      };
      const timer = setInterval(look, lookEveryMs);
      ends.push(
        () => clearInterval(timer),
        onInterrupt('Stopping after this step, with a checkpoint…', () =>
          reject(
            new CotuneError(
              'cancelled',
              `Experiment ${id} was interrupted.`,
              `Go on: cotune ${command} --resume ${id}`,
            ),
          ),
        ),
      );
      look();
    });
  } finally {
    for (const end of ends) end();
  }
}

function outcome({ task, config, status, error, test, val, purpose }: Run): string {
  const how = `${methodName(config.method)}, rate ${config.rate}, seed ${config.seed}`;
  if (status !== 'finished') return `${how}: ${status}${error ? ` (${error.message})` : ''}`;
  const { score } = taskNamed(task);
  const scored = (metrics: Run['test']) =>
    `${score.title} ${metrics ? percent(score.of(metrics)) : 'unknown'}`;
  return purpose === 'tune'
    ? `${how}, learning rate ${config.learningRate}: validation ${scored(val)}`
    : `${how}: test ${scored(test)}`;
}
