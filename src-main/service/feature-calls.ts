import type { Context, Handlers } from './context.ts';
import { jobSample } from './run-samples.ts';

type Names = 'features.make' | 'features.get' | 'features.similar';

/** Rows of one answer: a message of half a megabyte. */
const rowsAtOnce = 4000;

/** What networks make of a dataset's images. */
export function featureCalls({ store, home, jobs, tasks, features }: Context): Handlers<Names> {
  return {
    'features.make': (input) => {
      const { dataset, key, job } = features.find(input);
      const samples = store.samples.all(dataset.id).map((sample) => jobSample(home, dataset.path, sample));
      const by = input.run === undefined ? input.model : `run ${input.run}`;
      return tasks.start('features', `Features of ${dataset.name} by ${by}`, async (task) => {
        const made = await jobs.ask(
          { kind: 'features', engine: input.engine, ...job, samples, cacheFolder: home.cache },
          'features',
          (message) => (message.type === 'features' ? message : undefined),
          task,
        );
        await features.write(key, made);
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
