import type { CallInput } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import type { FeaturesJob } from '../trainer/protocol.ts';
import type { Context, Handlers } from './context.ts';
import { findDataset, findModel, findRun } from './lookup.ts';
import { jobModel, jobSample } from './run-samples.ts';
import { trainedWeights } from './trained-weights.ts';

type Names = 'features.make' | 'features.get' | 'features.similar';
type Asked = Pick<CallInput<'features.make'>, 'dataset' | 'model' | 'run'>;

/** Bytes: those of millions of images. */
const cacheLimit = 2 ** 30;
/** Rows of one answer: a message of half a megabyte. */
const rowsAtOnce = 4000;

/** Features of images, by id in the order of `ids`: row-major float32 [ids, components]. */
interface Features {
  ids: Int32Array;
  components: number;
  values: Float32Array;
}

/** What networks make of a dataset's images. */
export function featureCalls(context: Context): Handlers<Names> {
  const { store, home, jobs, tasks } = context;
  const cache = openContentCache(home.cache, 'features', cacheLimit);
  /** The last that were asked for: they are asked for in pages. */
  let last: { key: string; features: Features } | null = null;

  function find(input: Asked): { dataset: Dataset; key: string; job: Pick<FeaturesJob, 'network' | 'size'> } {
    const dataset = findDataset(store, input.dataset);
    if ((input.run === undefined) === (input.model === undefined))
      throw new CotuneError('bad-input', 'Features are those of one network.', 'Name a model, or a run.');
    if (input.run !== undefined) {
      const run = findRun(store, input.run);
      const network = trainedWeights(context, run);
      const { size } = run.config;
      return {
        dataset,
        key: keyOf({ dataset: dataset.hash, run: run.id, finishedAt: run.finishedAt }),
        job: { network, size },
      };
    }
    const model = findModel(store, input.model!);
    const network = jobModel(home, model);
    const size = network.preprocessing.inputSize;
    return {
      dataset,
      key: keyOf({ dataset: dataset.hash, model: model.hash, size }),
      job: { network, size },
    };
  }

  function read(input: Asked): Features {
    const { key } = find(input);
    if (last?.key === key) return last.features;
    const bytes = cache.read(key);
    if (!bytes)
      throw new CotuneError(
        'not-found',
        'The features of these images by this network are not made yet.',
        'Make them first.',
      );
    last = { key, features: unpack(bytes) };
    return last.features;
  }

  return {
    'features.make': (input) => {
      const { dataset, key, job } = find(input);
      const samples = store.samples.all(dataset.id).map((sample) => jobSample(home, dataset.path, sample));
      const by = input.run === undefined ? input.model : `run ${input.run}`;
      return tasks.start('features', `Features of ${dataset.name} by ${by}`, async (task) => {
        const made = await jobs.ask(
          { kind: 'features', engine: input.engine, ...job, samples, cacheFolder: home.cache },
          'features',
          (message) => (message.type === 'features' ? message : undefined),
          task,
        );
        await cache.write(key, pack(made));
        return dataset.id;
      });
    },
    'features.get': ({ from, ...input }) => {
      const { ids, components, values } = read(input);
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
    'features.similar': ({ sample, limit, ...input }) => {
      const { ids, components, values } = read(input);
      const at = ids.indexOf(sample);
      if (at < 0)
        throw new CotuneError('not-found', `Image ${sample} has no features there.`, 'Make them again.');
      const own = values.subarray(at * components, (at + 1) * components);
      const cosines = Float64Array.from(ids, (_, i) => cosine(own, values, i * components));
      const order = [...ids.keys()].sort((a, b) => cosines[b] - cosines[a] || a - b).slice(0, limit);
      return order.map((i) => ({ sample: ids[i], cosine: cosines[i] }));
    },
  };
}

const keyOf = (of: Record<string, unknown>): string => contentKey({ what: 'features', version: 1, ...of });

function cosine(a: Float32Array, values: Float32Array, from: number): number {
  let [dot, squareA, squareB] = [0, 0, 0];
  for (let k = 0; k < a.length; k++) {
    const b = values[from + k];
    dot += a[k] * b;
    squareA += a[k] ** 2;
    squareB += b ** 2;
  }
  return dot / Math.max(Math.sqrt(squareA * squareB), 1e-30);
}

/** Count and components, then ids, then values: all of four bytes, little-endian. */
function pack({ ids, components, values }: Features): Uint8Array {
  const head = Int32Array.of(ids.length, components);
  return Buffer.concat(
    [head, ids, values].map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)),
  );
}

function unpack(bytes: Uint8Array): Features {
  // A copy: what is read from a file may begin anywhere in its memory.
  const { buffer } = Uint8Array.from(bytes);
  const [count, components] = new Int32Array(buffer, 0, 2);
  return {
    ids: new Int32Array(buffer, 8, count),
    components,
    values: new Float32Array(buffer, 8 + 4 * count, count * components),
  };
}
