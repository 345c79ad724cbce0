import type { Split } from '../../src-shared/domain.ts';
import { openNetworkFile, readNetwork } from '../backbones/network-file.ts';
import type { Engine } from '../engine/engine.ts';
import type { Evaluated, Trained } from '../tasks/task.ts';
import { classified } from './classified.ts';
import { type ImageOptions, predictLogits, softmaxRows } from './predict-logits.ts';
import type { JobModel, JobSample } from './protocol.ts';

/** A trained network as its file holds it: its own head is the one that it was trained for. */
export function openTrained(
  path: string,
  model: Pick<JobModel, 'architecture' | 'padding' | 'batchNormEpsilon'>,
): Trained {
  const file = openNetworkFile(path, model.architecture, model.padding);
  const { backbone, classes } = file;
  const { batchNormEpsilon } = model;
  const network = { backbone, batchNormEpsilon, sourceClasses: classes, targetClasses: classes };
  return { network, weights: readNetwork(file, file.tensors), head: 'source' };
}

/** Takes the pooled features of images, row-major [samples, features]. */
export type TakeFeatures = (samples: readonly JobSample[], features: Float32Array) => Promise<void>;

/**
 * What a network says of every image of some splits that can be used, in one pass; `take` gets the features that it says so by. Its own
 * head is then the one that is read.
 */
export async function evaluateSplits<S extends Split>(
  engine: Engine,
  { network, weights, head }: Trained,
  samples: Record<S, JobSample[]>,
  images: ImageOptions,
  onBatch: (done: number) => void = () => {},
  take?: TakeFeatures,
): Promise<Record<S, Evaluated>> {
  const parts = Object.entries(samples) as [S, JobSample[]][];
  const all = parts.flatMap(([, list]) => list);
  const read = take ? 'source-and-features' : head;
  const { logits: outputs, samples: used } = await predictLogits(
    ...([engine, network, read, weights, all, images, onBatch] as const),
  );
  const isUsed = new Set(used);
  const classes = head === 'source' ? network.sourceClasses : network.targetClasses;
  const [logits, features] = columnsCut(outputs, used.length, classes);
  await take?.(used, features);
  let row = 0;
  const evaluated = parts.map(([split, whole]) => {
    const list = whole.filter((sample) => isUsed.has(sample));
    const probabilities = softmaxRows(logits.subarray(row * classes, (row + list.length) * classes), classes);
    row += list.length;
    return [split, classified(list, probabilities, classes)];
  });
  return Object.fromEntries(evaluated);
}

/** The first columns of a row-major matrix, and the others. */
function columnsCut(data: Float32Array, rows: number, first: number): [Float32Array, Float32Array] {
  const columns = rows === 0 ? first : data.length / rows;
  if (columns === first) return [data, new Float32Array()];
  const parts: [Float32Array, Float32Array] = [
    new Float32Array(rows * first),
    new Float32Array(rows * (columns - first)),
  ];
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * columns, (row + 1) * columns);
    parts[0].set(values.subarray(0, first), row * first);
    parts[1].set(values.subarray(first), row * (columns - first));
  }
  return parts;
}
