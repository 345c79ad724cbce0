import type { RunConfig } from '../../src-shared/domain.ts';
import type { Context, Handlers } from './context.ts';
import { unpackFor } from './image-places.ts';
import type { AskedFeatures, Features } from './kept-features.ts';
import { jobSample } from './run-samples.ts';
import type { TaskWork } from './tasks.ts';

type Names = 'features.make' | 'features.get' | 'features.similar';

/** Rows of one answer: a message of half a megabyte. */
const rowsAtOnce = 4000;

/** Lets every image of a dataset pass a network once, and keeps what comes of it. Errors: those of the job. */
export async function makeFeatures(
  context: Context,
  input: AskedFeatures,
  task: TaskWork,
  engine: RunConfig['engine'] = 'auto',
): Promise<Features> {
  const { store, home, jobs, features } = context;
  const { dataset, key, job } = features.find(input);
  const images = store.samples.all(dataset.id);
  await unpackFor(context, dataset.path, images);
  const samples = images.map((sample) => jobSample(home, dataset.path, sample));
  const made = await jobs.ask(
    { kind: 'features', engine, ...job, samples, cacheFolder: home.cache },
    'features',
    (message) => (message.type === 'features' ? message : undefined),
    task,
  );
  await features.write(key, made);
  return made;
}

/** What networks make of a dataset's images. */
export function featureCalls(context: Context): Handlers<Names> {
  const { store, tasks, features } = context;
  return {
    'features.make': (input) => {
      const { dataset } = features.find(input);
      const by = input.run === undefined ? input.model : `run ${input.run}`;
      return tasks.start('features', `Features of ${dataset.name} by ${by}`, async (task) => {
        await makeFeatures(context, input, task, input.engine);
        return dataset.id;
      });
    },
    'features.get': ({ from, ...input }) => {
      const { ids, components, values } = features.read(input);
      const to = Math.min(ids.length, from + rowsAtOnce);
      const part = values.subarray(from * components, to * components);
      return {
        total: ids.length,
        components,
        ids: [...ids.subarray(from, to)],
        values: Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('base64'),
        facts: store.samples.facts([...ids.subarray(from, to)], input.run ?? null),
        next: to < ids.length ? to : null,
      };
    },
    'features.similar': ({ sample, limit, ...input }) => features.byLikeness(input, sample).slice(0, limit),
  };
}
