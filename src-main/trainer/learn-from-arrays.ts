import { readNpyLabels, readNpyMatrix } from '../formats/npy.ts';
import { learnRelationship } from '../transfer/relationship.ts';
import type { ArraysJob, JobRelationship } from './protocol.ts';

/** Learns a relationship from .npy files of source logits [images, sources] and target labels [images]. */
export async function learnFromArrays(job: ArraysJob): Promise<JobRelationship> {
  const trainLogits = await readNpyMatrix(job.trainLogits);
  const trainLabels = await readNpyLabels(job.trainLabels);
  const valLogits = await readNpyMatrix(job.valLogits);
  const valLabels = await readNpyLabels(job.valLabels);
  const targets = [trainLabels, valLabels].reduce(
    (most, labels) => labels.reduce((sofar, label) => Math.max(sofar, label + 1), most),
    0,
  );
  const { approach, classNames } = job;
  const sourceScale = job.sourceScale ?? 1;
  const { matrix, ...learned } = await learnRelationship({
    approach,
    trainLogits,
    trainLabels,
    valLogits,
    valLabels,
    targets,
    classNames,
    sourceScale,
  });
  return {
    ...learned,
    matrix: Float32Array.from(matrix),
    approach,
    sourceTemperature: 1 / sourceScale,
    temperatureSource: job.sourceScale === null ? 'default' : 'typed',
    targets,
  };
}
