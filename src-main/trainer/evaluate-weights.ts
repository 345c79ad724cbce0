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

/** What a network says of every image of some splits that can be used, in one pass. */
export async function evaluateSplits<S extends Split>(
  engine: Engine,
  { network, weights, head }: Trained,
  samples: Record<S, JobSample[]>,
  images: ImageOptions,
  onBatch: (done: number) => void = () => {},
): Promise<Record<S, Evaluated>> {
  const parts = Object.entries(samples) as [S, JobSample[]][];
  const all = parts.flatMap(([, list]) => list);
  const { logits, samples: used } = await predictLogits(
    ...([engine, network, head, weights, all, images, onBatch] as const),
  );
  const isUsed = new Set(used);
  const classes = head === 'source' ? network.sourceClasses : network.targetClasses;
  let row = 0;
  const evaluated = parts.map(([split, whole]) => {
    const list = whole.filter((sample) => isUsed.has(sample));
    const probabilities = softmaxRows(logits.subarray(row * classes, (row + list.length) * classes), classes);
    row += list.length;
    return [split, classified(list, probabilities, classes)];
  });
  return Object.fromEntries(evaluated);
}
