import type { CallInput, Ranking, Task } from '../../src-shared/contract.ts';
import type { Model } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { RankJob } from '../trainer/protocol.ts';
import { rankingScores } from '../transfer/ranking/index.ts';
import type { Context } from './context.ts';
import { checkUnchanged } from './data-check.ts';
import { findDataset, findModel } from './lookup.ts';
import { checkTogether } from './plan-runs.ts';
import { jobSamples, runModel, samplesForRun } from './run-samples.ts';
import { partOf, type TaskWork } from './tasks.ts';

/** So few networks that their order says little. */
const few = 5;

/**
 * Begins to rank models by one forward pass each over the training samples, of tagged texts over their entities; the task's result is
 * the ranking's id. Errors: `bad-input` where there is no model, or nothing to tell apart.
 */
export function rankModels(context: Context, input: CallInput<'models.rank'>): Task {
  const { store, home, tasks } = context;
  const { rate = 1, seed = 0, engine = 'auto' } = input;
  const dataset = findDataset(store, input.dataset);
  const { takes } = taskNamed(dataset.task);
  const models =
    input.models?.map((name) => findModel(store, name)) ??
    store.models.list().filter(({ text }) => (takes === 'texts') === (text !== undefined));
  for (const model of models) checkTogether(dataset, model);
  if (models.length === 0)
    throw new CotuneError(
      'bad-input',
      `There is no model of ${takes} to rank.`,
      'Add one: cotune models add FILE --name NAME.',
    );
  if (dataset.classes.length < 2)
    throw new CotuneError(
      'bad-input',
      `The dataset "${dataset.name}" has ${dataset.classes.length} class: scores say how well classes are told apart.`,
      'Take a dataset with two or more.',
    );
  const { samples } = samplesForRun(store, dataset, rate, seed);
  const { train } = jobSamples(home, dataset.path, samples);
  return tasks.start('ranking', `Ranking for ${dataset.name}`, async (task) => {
    if (takes === 'images') await checkUnchanged(context, dataset.path, samples.train);
    // Loaded here, not above: it brings tf.js along.
    const { usualStep } = await import('./run-config.ts');
    const ranked: Ranking['models'] = [];
    const left = new Set<string>();
    for (const [at, model] of models.entries()) {
      const job: RankJob = {
        kind: 'rank',
        task: dataset.task,
        engine,
        model: runModel(home, model, usualStep(model)),
        classNames: dataset.classes,
        samples: train,
        cacheFolder: home.cache,
      };
      const { row, notes } = await rankOne(context, partOf(task, at, models.length), model, job);
      ranked.push(row);
      for (const note of notes) left.add(note);
    }
    return store.rankings.insert({
      dataset: dataset.name,
      datasetHash: dataset.hash,
      rate,
      images: train.length,
      scores: rankingScores.map(({ name, title, help, source }) => ({ name, title, help, source })),
      models: ranked,
      notes: [...left, ...notesOn(models)],
    });
  });
}

async function rankOne(
  { jobs }: Context,
  task: TaskWork,
  { name: model, hash: modelHash }: Model,
  job: RankJob,
): Promise<{ row: Ranking['models'][number]; notes: string[] }> {
  const values: Ranking['models'][number]['values'] = Object.fromEntries(
    rankingScores.map(({ name }) => [name, null]),
  );
  const notes: string[] = [];
  await jobs.perform(job, {
    ...task,
    hear: (message) => {
      if (message.type !== 'ranking') return;
      for (const { name, value, low, high } of message.scores)
        values[name] = [value, low, high].every(Number.isFinite) ? { value, low, high } : null;
      notes.push(...message.notes);
    },
  });
  return { row: { model, modelHash, values }, notes };
}

const notesOn = (models: readonly Model[]): string[] => [
  'The scores are several opinions, each on a scale of its own: compare networks within a score, and trust what most scores say.',
  ...(models.length < few
    ? [`With fewer than ${few} networks a ranking says little; train the first two.`]
    : []),
];
