import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import type { LabeledFeatures } from '../transfer/term.ts';
import type { FromTrainer, JobSample, TrainJob } from './protocol.ts';
import { sourceLogits } from './source-logits.ts';

/** The pre-trained network's pooled features of a run's training and validation images, kept image by image. */
export async function labeledFeatures(
  {
    engine,
    network,
    file,
    unusable,
  }: { engine: Engine; network: Network; file: NetworkFile; unusable: UnusableImages },
  { model, samples, config, cacheFolder }: TrainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Record<'train' | 'val', LabeledFeatures>> {
  const { size, precision } = config;
  const both = [...samples.train, ...samples.val];
  const onProgress = (done: number) => {
    signal.throwIfAborted();
    report({ type: 'progress', phase: 'prepare', done, total: both.length });
  };
  const predictor = { model, precision, size };
  const { samples: used, logits: data } = await sourceLogits(
    engine,
    network,
    file,
    predictor,
    both,
    { cacheFolder, unusable },
    onProgress,
    'features',
  );
  const columns = network.backbone.features;
  const isTraining = new Set(samples.train);
  const train = used.filter((sample) => isTraining.has(sample));
  const cut = train.length * columns;
  const part = (list: JobSample[], values: Float32Array): LabeledFeatures => ({
    features: { data: values, rows: list.length, columns },
    labels: Int32Array.from(list, ({ label }) => label),
  });
  return {
    train: part(train, data.subarray(0, cut)),
    val: part(used.slice(train.length), data.subarray(cut)),
  };
}
