import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Calibration, EngineChoice, Model } from '../../src-shared/domain.ts';
import type { FoundImage } from '../data/formats/format.ts';
import { matchSourceClasses } from '../data/source-labels.ts';
import { placeOf } from '../data/stored-images.ts';
import type { CalibrationJob, JobSample } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { hashPlace } from './data-check.ts';
import { datasetPlace } from './dataset-place.ts';
import { readablePlace } from './image-places.ts';
import { jobModel } from './run-samples.ts';
import type { TaskWork } from './tasks.ts';

const atOnce = 16;

/**
 * Fits the temperature of a model's source predictions on the images of a dataset with the source classes, most often a folder for each, and
 * keeps it with the model. Images that cannot be used are left out. Errors: `bad-input` where the folders do not match the
 * source classes, too many images or all of a class cannot be used, or nothing can be fitted.
 */
export async function calibrateModel(
  context: Context,
  task: TaskWork,
  model: Model,
  folder: string,
  engine: EngineChoice,
): Promise<Calibration> {
  const { store, home, emit, jobs, reader } = context;
  const data = resolve(folder);
  const dataset = datasetPlace(data);
  const images: FoundImage[] = [];
  await reader.read(
    'images',
    { dataset, choice: {}, unpackedFolder: home.unpacked },
    dataset.folder,
    (found) => {
      for (const image of found) images.push(image);
    },
  );
  const folders = [...new Set(images.map(({ className }) => className))].sort();
  const { labels, notes } = matchSourceClasses(folders, model.sourceClasses);
  const samples: JobSample[] = [];
  for (const image of images) {
    const label = labels.get(image.className);
    if (label === undefined) continue;
    const path = join(dataset.folder, image.path);
    const place = image.locator && readablePlace({ home }, dataset.folder, image);
    samples.push({ id: samples.length, path, hash: '', label, place });
  }
  const queue = samples.values();
  const worker = async () => {
    for (const sample of queue) {
      task.signal.throwIfAborted();
      // No file has the hash of its path: who uses the images leaves out what cannot be read.
      sample.hash = await hashPlace(reader, placeOf(sample), dataset.folder).catch(() => sha256(sample.path));
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
  const { fit, without } = await jobs.ask(
    job,
    'a temperature',
    (message) => (message.type === 'calibration' ? message : undefined),
    task,
  );
  const left = new Set(without);
  const used = samples.filter(({ id }) => !left.has(id));
  const calibration = {
    ...fit,
    images: used.length,
    classes: new Set(used.map(({ label }) => label)).size,
    data,
    hash: sha256(used.map(({ label, hash }) => `${label} ${hash}\n`).join('')),
    notes: [...notes, ...fit.notes],
  };
  store.models.setCalibration(model.hash, calibration);
  emit('models.changed', {});
  return calibration;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
