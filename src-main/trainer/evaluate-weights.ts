import type { Split, SplitMetrics } from '../../src-shared/domain.ts';
import { splitMetrics } from '../../src-shared/metrics.ts';
import { openNetworkFile, readNetwork } from '../backbones/network-file.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import type { HeadChoice, Network } from '../transfer/network.ts';
import { type ImageOptions, predictLogits, softmaxRows } from './predict-logits.ts';
import type { JobModel, JobSample, Predictions } from './protocol.ts';

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

/** Class probabilities of every image of a split, and their metrics: null where there is no image. */
export async function evaluateSplit(
  engine: Engine,
  { network, weights, head }: Trained,
  split: Split,
  samples: JobSample[],
  images: ImageOptions,
  onBatch: (done: number) => void = () => {},
): Promise<{ predictions: Predictions; metrics: SplitMetrics | null }> {
  const logits = await predictLogits(engine, network, head, weights, samples, images, onBatch);
  const classes = head === 'source' ? network.sourceClasses : network.targetClasses;
  const probabilities = softmaxRows(logits, classes);
  const labels = samples.map(({ label }) => label);
  return {
    predictions: { split, sampleIds: Int32Array.from(samples, ({ id }) => id), probabilities },
    metrics: samples.length === 0 ? null : splitMetrics(probabilities, labels, classes),
  };
}
