import type { NetworkFile } from '../backbones/network-file.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import type { Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import type { Predictor, SourceOutput } from './content-keys.ts';
import type { PredictedLogits } from './predict-logits.ts';
import type { FromTrainer, JobSample } from './protocol.ts';
import { sourceLogits } from './source-logits.ts';

/** What a pre-trained network says of a job's images that can be used; tells its progress as the job's evaluation. */
export const evaluatedOutputs = <S extends JobSample>(
  { engine, network, file }: { engine: Engine; network: Network; file: NetworkFile },
  predictor: Omit<Predictor, 'engine'>,
  { samples, ...images }: { samples: S[]; cacheFolder: string; unusable: UnusableImages },
  output: SourceOutput,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<PredictedLogits> =>
  sourceLogits(
    ...([engine, network, file, predictor, samples, images] as const),
    (done) => {
      signal.throwIfAborted();
      report({ type: 'progress', phase: 'evaluate', done, total: samples.length });
    },
    output,
  );
