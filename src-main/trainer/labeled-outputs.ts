import type { Matrix } from '../../src-shared/matrix.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import { type Network, outputWidth } from '../transfer/network.ts';
import type { Predictor, SourceOutput } from './content-keys.ts';
import type { FromTrainer, JobSample } from './protocol.ts';
import { sourceLogits } from './source-logits.ts';

/** What the pre-trained network says of images, with their target labels. */
export interface LabeledOutputs {
  /** [images, outputs] */
  outputs: Matrix;
  labels: Int32Array;
}

/** What the pre-trained network says of the training and of the validation images that can be used; tells its progress. */
export async function labeledOutputs(
  { engine, network, file }: { engine: Engine; network: Network; file: NetworkFile },
  predictor: Omit<Predictor, 'engine'>,
  { samples, ...images }: { samples: Parts; cacheFolder: string; unusable?: UnusableImages },
  output: SourceOutput,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<Record<keyof Parts, LabeledOutputs>> {
  const both = [...samples.train, ...samples.val];
  const onProgress = (done: number) => {
    signal.throwIfAborted();
    report({ type: 'progress', phase: 'prepare', done, total: both.length });
  };
  const { samples: used, logits } = await sourceLogits(
    engine,
    network,
    file,
    predictor,
    both,
    images,
    onProgress,
    output,
  );
  const columns = outputWidth(network, output);
  const isUsed = new Set(used);
  const [train, val] = [samples.train, samples.val].map((part) =>
    part.filter((sample) => isUsed.has(sample)),
  );
  const cut = train.length * columns;
  const part = (list: JobSample[], data: Float32Array): LabeledOutputs => ({
    outputs: { data, rows: list.length, columns },
    labels: Int32Array.from(list, ({ label }) => label),
  });
  return { train: part(train, logits.subarray(0, cut)), val: part(val, logits.subarray(cut)) };
}

type Parts = Record<'train' | 'val', JobSample[]>;
