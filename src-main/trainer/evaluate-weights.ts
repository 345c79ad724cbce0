import type { Split, SplitMetrics } from '../../src-shared/domain.ts';
import { splitMetrics } from '../../src-shared/metrics.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { openNetworkFile, readNetwork } from '../backbones/network-file.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import type { HeadChoice, Network } from '../transfer/network.ts';
import { type ImageOptions, predictLogits, softmaxRows } from './predict-logits.ts';
import type { JobModel, JobSample } from './protocol.ts';

/** A network with the weights to evaluate, and the head to read. */
export interface Trained {
  network: Network;
  weights: Arrays;
  head: HeadChoice;
}

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

/** What an evaluation found on one split. */
interface Evaluated {
  sampleIds: Int32Array;
  /** Row-major [samples, classes]. */
  probabilities: Float32Array;
  /** Null where there is no image. */
  metrics: SplitMetrics | null;
}

/** Class probabilities of every image of some splits that can be used, in one pass, and their metrics. */
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
    const labels = list.map(({ label }) => label);
    const sampleIds = Int32Array.from(list, ({ id }) => id);
    const metrics =
      list.length === 0
        ? null
        : splitMetrics({ labels, ...predictionColumns(probabilities, labels, classes) }, classes);
    return [split, { sampleIds, probabilities, metrics }];
  });
  return Object.fromEntries(evaluated);
}
