import type { NetworkFile } from '../backbones/network-file.ts';
import type { Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import type { LabeledFeatures } from '../transfer/term.ts';
import type { FromTrainer, JobSample, TrainJob } from './protocol.ts';
import { sourceLogits } from './source-logits.ts';

/** The pre-trained network's pooled features of a run's training and validation images, kept image by image. */
export async function labeledFeatures(
  { engine, network, file }: { engine: Engine; network: Network; file: NetworkFile },
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
  const data = await sourceLogits(
    engine,
    network,
    file,
    predictor,
    both,
    cacheFolder,
    onProgress,
    'features',
  );
  const columns = network.backbone.features;
  const cut = samples.train.length * columns;
  const part = (list: JobSample[], values: Float32Array): LabeledFeatures => ({
    features: { data: values, rows: list.length, columns },
    labels: Int32Array.from(list, ({ label }) => label),
  });
  return {
    train: part(samples.train, data.subarray(0, cut)),
    val: part(samples.val, data.subarray(cut)),
  };
}
