import type { CallInput } from '../../src-shared/contract.ts';
import type { Dataset } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import type { FeaturesJob } from '../trainer/protocol.ts';
import type { Base } from './base.ts';
import { findImageDataset, findModel, findRun } from './lookup.ts';
import { jobModel } from './run-samples.ts';
import { trainedWeights } from './trained-weights.ts';

export type AskedFeatures = Pick<CallInput<'features.make'>, 'dataset' | 'model' | 'run'>;
export type KeptFeatures = ReturnType<typeof openFeatures>;

/** Bytes: those of millions of images. */
const cacheLimit = 2 ** 30;

/** Features of images, by id in the order of `ids`: row-major float32 [ids, components]. */
export interface Features {
  ids: Int32Array;
  components: number;
  values: Float32Array;
}

/** What was kept of networks' features of datasets. */
export function openFeatures({ store, home }: Pick<Base, 'store' | 'home'>) {
  const cache = openContentCache(home.cache, 'features', cacheLimit);
  /** The last that were asked for: they are asked for in pages. */
  let last: { key: string; features: Features } | null = null;
  let lastOrder: { key: string; sample: number; order: Likeness[] } | null = null;

  function find(input: AskedFeatures): {
    dataset: Dataset;
    key: string;
    job: Pick<FeaturesJob, 'network' | 'size'>;
  } {
    const dataset = findImageDataset(store, input.dataset);
    if ((input.run === undefined) === (input.model === undefined))
      throw new CotuneError('bad-input', 'Features are those of one network.', 'Name a model, or a run.');
    if (input.run !== undefined) {
      const run = findRun(store, input.run);
      const network = trainedWeights({ store, home }, run);
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

  function kept(input: AskedFeatures): Features | null {
    const { key } = find(input);
    if (last?.key === key) return last.features;
    const bytes = cache.read(key);
    if (!bytes) return null;
    last = { key, features: unpack(bytes) };
    return last.features;
  }

  function read(input: AskedFeatures): Features {
    const features = kept(input);
    if (!features)
      throw new CotuneError(
        'not-found',
        'The features of these images by this network are not made yet.',
        'Make the map of the dataset first.',
      );
    return features;
  }

  return {
    find,
    /** Null before they are made. */
    kept,
    /** Errors: `not-found` before they are made. */
    read,
    write: (key: string, made: Features): Promise<unknown> => cache.write(key, pack(made)),
    /** All images by how like they are to one, by the cosine of their features: itself first. Errors: `not-found`. */
    byLikeness(input: AskedFeatures, sample: number): Likeness[] {
      const { key } = find(input);
      if (lastOrder?.key === key && lastOrder.sample === sample) return lastOrder.order;
      const features = read(input);
      const { ids } = features;
      const at = ids.indexOf(sample);
      if (at < 0)
        throw new CotuneError('not-found', `Image ${sample} has no features there.`, 'Make them again.');
      const cosines = Float64Array.from(ids, (_, i) => cosineOf(features, at, i));
      const order = [...ids.keys()]
        .sort((a, b) => cosines[b] - cosines[a] || a - b)
        .map((i) => ({ sample: ids[i], cosine: cosines[i] }));
      lastOrder = { key, sample, order };
      return order;
    },
  };
}

export interface Likeness {
  sample: number;
  cosine: number;
}

const keyOf = (of: Record<string, unknown>): string => contentKey({ what: 'features', version: 1, ...of });

/** Cosine of the features of two images, by their rows. */
export function cosineOf({ components, values }: Features, row: number, other: number): number {
  let [dot, squareA, squareB] = [0, 0, 0];
  for (let k = 0; k < components; k++) {
    const [a, b] = [values[row * components + k], values[other * components + k]];
    dot += a * b;
    squareA += a ** 2;
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
