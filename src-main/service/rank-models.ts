import type { CallInput, Ranking } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { rankingScores } from '../transfer/ranking/index.ts';
import type { Context } from './context.ts';
import { checkUnchanged } from './data-check.ts';
import { findDataset, findModel } from './lookup.ts';
import { jobModel, jobSamples, samplesForRun } from './run-samples.ts';
import { startJob } from './trainer-job.ts';

/** So few networks that their order says little. */
const few = 5;

/** Ranks models by one forward pass each over the training images. Errors: `bad-input` where there is no model. */
export async function rankModels(context: Context, input: CallInput<'models.rank'>): Promise<Ranking> {
  const { store, home, spawnTrainer } = context;
  const { rate = 1, seed = 0, engine = 'auto' } = input;
  const dataset = findDataset(store, input.dataset);
  const models = input.models?.map((name) => findModel(store, name)) ?? store.models.list();
  if (models.length === 0)
    throw new CotuneError(
      'bad-input',
      'There is no model to rank.',
      'Add one: cotune models add FILE --name NAME.',
    );
  const { samples } = samplesForRun(store, dataset, rate, seed);
  await checkUnchanged(store, dataset.path, samples.train);
  const { train } = jobSamples(dataset.path, samples);
  const ranked: Ranking['models'] = [];
  for (const model of models) {
    const values: Ranking['models'][number]['values'] = Object.fromEntries(
      rankingScores.map(({ name }) => [name, null]),
    );
    const job = startJob(
      spawnTrainer,
      {
        kind: 'rank',
        engine,
        model: jobModel(home, model),
        targetClasses: dataset.classes.length,
        samples: train,
        cacheFolder: home.cache,
      },
      (message) => {
        if (message.type !== 'ranking') return;
        for (const { name, value, low, high } of message.scores)
          values[name] = [value, low, high].every(Number.isFinite) ? { value, low, high } : null;
      },
    );
    await job.ended;
    ranked.push({ model: model.name, values });
  }
  const notes = [
    'The scores are several opinions, each on a scale of its own: compare networks within a row, and trust what most rows say.',
    ...(models.length < few
      ? [`With fewer than ${few} networks a ranking says little; train the first two.`]
      : []),
  ];
  const scores = rankingScores.map(({ name, title, help, source }) => ({ name, title, help, source }));
  return { images: train.length, scores, models: ranked, notes };
}
