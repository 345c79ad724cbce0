import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Context, Handlers } from './context.ts';
import { findRun } from './lookup.ts';
import { insertRun } from './plan-runs.ts';

/** Runs whose network is a mean of other runs'. */
export function averageCalls(context: Context): Handlers<'runs.average' | 'runs.averagings'> {
  const { store, queue, emit } = context;
  return {
    'runs.averagings': async () => {
      const { averagings } = await import('../transfer/averaging/index.ts');
      return averagings.map(({ name, title, help, source, of }) => ({ name, title, help, source, of }));
    },
    'runs.average': async ({ way: name, runs: ids }) => {
      const { averagings } = await import('../transfer/averaging/index.ts');
      const way = averagings.find((one) => one.name === name);
      if (!way)
        throw new CotuneError(
          'bad-input',
          `There is no way to average called "${name}".`,
          `There are: ${averagings.map((one) => one.name).join(', ')}.`,
        );
      const runs = [...new Set(ids)].map((id) => findRun(store, id));
      await checkRuns(runs, way.of);
      const [first] = runs;
      const { datasetId, modelId } = first;
      if (datasetId === null || modelId === null)
        throw new CotuneError(
          'not-found',
          `The dataset or the network of run ${first.id} was deleted.`,
          'Bring it back: a mean of networks is scored on its samples.',
        );
      const { targetClasses } = store.runs.record(first.id)!;
      const run = {
        config: {
          ...first.config,
          method: [{ name, runs: runs.map(({ id }) => id) }],
          extras: [],
          steps: 0,
          evaluateEvery: 0,
          checkpointEvery: 0,
        },
        task: first.task,
        datasetId,
        modelId,
        datasetHash: first.datasetHash,
        editsHash: first.editsHash,
        modelHash: first.modelHash,
        splitHash: first.splitHash,
        samples: first.samples,
        targetClasses,
      };
      const id = store.transaction(() => insertRun(store, { run, notes: [], unused: [] }, null));
      queue.add(id);
      const made = findRun(store, id);
      emit('run', made);
      return made;
    },
  };
}

/** `bad-input` where a mean of the runs' weights would be no network, or could not be chosen fairly. */
async function checkRuns(runs: readonly Run[], of: 'run' | 'runs'): Promise<void> {
  const { averagingOf } = await import('../transfer/averaging/index.ts');
  const { beginningOf } = await import('../transfer/averaging/beginning.ts');
  const refuse = (message: string, hint: string) => new CotuneError('bad-input', message, hint);
  if (of === 'run' ? runs.length !== 1 : runs.length < 2)
    throw refuse(
      of === 'run' ? `${runs.length} runs are named; this way takes one.` : 'A mean needs two runs or more.',
      of === 'run' ? 'Name one run.' : 'Name several runs, each once.',
    );
  const [first, ...others] = runs;
  const { samples, takes } = taskNamed(first.task);
  for (const run of runs) {
    if (run.status !== 'finished')
      throw refuse(
        `Run ${run.id} has no trained network: it is ${run.status}.`,
        'Wait for it, or leave it out.',
      );
    if (averagingOf(run.config.method))
      throw refuse(`Run ${run.id} is an average itself.`, 'Name the runs that were trained.');
  }
  const same = (value: (run: Run) => unknown, what: string, hint: string) => {
    const other = others.find((run) => JSON.stringify(value(run)) !== JSON.stringify(value(first)));
    if (other) throw refuse(`Runs ${first.id} and ${other.id} ${what}`, hint);
  };
  same(
    ({ modelHash }) => modelHash,
    'began with different pre-trained networks.',
    'Average runs of one pre-trained network: means of others are no networks.',
  );
  same(
    ({ datasetHash, splitHash }) => [datasetHash, splitHash],
    `were trained, validated or tested on different ${samples}.`,
    'Average runs of one dataset, rate and seed, so that nothing is chosen on what one of them was trained on.',
  );
  same(
    ({ config: { size, resize } }) => [size, resize?.name],
    takes === 'images' ? 'see their pictures at different sizes.' : 'see texts of different lengths.',
    'Average runs of one input size.',
  );
  same(
    ({ config, modelHash }) => beginningOf({ config, modelHash }),
    'began with different heads: the new head is drawn by the seed.',
    'Average runs of one seed that differ in learning rate, method or length, or runs of lp-ft, whose head is solved for.',
  );
}
