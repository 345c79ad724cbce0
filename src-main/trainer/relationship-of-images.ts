import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { taskOf } from '../tasks/index.ts';
import { learnFromSamples } from './learn-relationship.ts';
import type { FromTrainer, RelationshipJob } from './protocol.ts';

/** A relationship for its own sake: learned from images by an engine that is opened for it, and reported. */
export async function relationshipOfImages(
  job: RelationshipJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await openEngine(job.engine, { cacheFolder: job.cacheFolder });
  report({ type: 'engine', engine: engine.info });
  const { network, file } = taskOf(job.task).openSource(job.model, job.classNames);
  const { train, val } = job.samples;
  const unusable = leaveOut([...train, ...val], { learned: train });
  const inputs = { ...job, precision: 'full', unusable } as const;
  report({
    type: 'relationship',
    ...(await learnFromSamples(engine, network, file, inputs, report, signal)),
  });
  await engine.dispose();
}
