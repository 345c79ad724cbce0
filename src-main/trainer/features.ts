import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { inspectModelFile } from '../backbones/inspect.ts';
import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { principalComponents } from '../transfer/principal-components.ts';
import { evaluatedOutputs } from './evaluated-outputs.ts';
import { openSource } from './open-source.ts';
import type { FeaturesJob, FromTrainer, JobModel } from './protocol.ts';

/** Numbers that are kept of an image's features: what neighbors are found by, without the noise of the rest. */
const kept = 30;

/** A network's pooled features of images, on their principal components; each image is passed once and kept. */
export async function features(
  job: FeaturesJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { samples, cacheFolder, size } = job;
  const model = typeof job.network === 'string' ? await trainedModel(job.network) : job.network;
  const engine = await openEngine(job.engine, { cacheFolder });
  const { network, file } = openSource(model, 1);
  const { samples: used, logits } = await evaluatedOutputs(
    { engine, network, file },
    { model, precision: 'full', size },
    { samples, cacheFolder, unusable: leaveOut(samples) },
    'features',
    report,
    signal,
  );
  await engine.dispose();
  const { components, values } = principalComponents(logits, network.backbone.features, kept);
  report({ type: 'features', ids: Int32Array.from(used, ({ id }) => id), components, values });
}

/** A trained network as its file tells it. */
async function trainedModel(path: string): Promise<JobModel> {
  const { sourceClasses, temperature, ...facts } = await inspectModelFile(path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { ...facts, path, hash: hash.digest('hex'), sourceClasses: sourceClasses.length, temperature };
}
