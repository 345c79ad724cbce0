import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Calibration, EngineChoice, Model } from '../../src-shared/domain.ts';
import { findImages } from '../data/find-images.ts';
import { matchSourceClasses } from '../data/source-labels.ts';
import type { CalibrationJob, JobSample } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { hashFile } from './data-check.ts';
import { jobModel } from './run-samples.ts';
import type { TaskWork } from './tasks.ts';

const atOnce = 16;

/**
 * Fits the temperature of a model's source predictions on the images of a folder, one folder for every source class, and
 * keeps it with the model. Errors: `bad-input` where the folders do not match the source classes, or nothing can be fitted.
 */
export async function calibrateModel(
  context: Context,
  task: TaskWork,
  model: Model,
  folder: string,
  engine: EngineChoice,
): Promise<Calibration> {
  const { store, home, emit, jobs } = context;
  const data = resolve(folder);
  const { images } = await findImages(data, { splits: 'names' });
  const folders = [...new Set(images.map(({ className }) => className))].sort();
  const { labels, notes } = matchSourceClasses(folders, model.sourceClasses);
  const samples: JobSample[] = [];
  for (const { path, className } of images) {
    const label = labels.get(className);
    if (label !== undefined) samples.push({ id: samples.length, path: join(data, path), hash: '', label });
  }
  const queue = samples.values();
  const worker = async () => {
    for (const sample of queue) {
      task.signal.throwIfAborted();
      sample.hash = await hashFile(sample.path);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));

  const job: CalibrationJob = {
    kind: 'calibration',
    engine,
    model: jobModel(home, model),
    samples,
    cacheFolder: home.cache,
  };
  const fit = await jobs.ask(
    job,
    'a temperature',
    (message) => (message.type === 'calibration' ? message.fit : undefined),
    task,
  );
  const hash = createHash('sha256');
  for (const sample of samples) hash.update(`${sample.label} ${sample.hash}\n`);
  const calibration = {
    ...fit,
    images: samples.length,
    classes: new Set(samples.map((sample) => sample.label)).size,
    data,
    hash: hash.digest('hex'),
    notes,
  };
  store.models.setCalibration(model.hash, calibration);
  emit('models.changed', {});
  return calibration;
}
