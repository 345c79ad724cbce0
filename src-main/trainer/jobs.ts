import { hasSteps } from '../../src-shared/run-settings.ts';
import { runBench } from '../bench/run-bench.ts';
import { leaveOut } from '../data/unusable-images.ts';
import { explainChoice, listEngines, openEngine } from '../engine/open.ts';
import { average } from './average.ts';
import { calibrate } from './calibrate.ts';
import { exportNetwork } from './export.ts';
import type { KeptEngine } from './kept-engine.ts';
import { learnFromArrays } from './learn-from-arrays.ts';
import { learnFromImages } from './learn-relationship.ts';
import { openSource } from './open-source.ts';
import { predictImages } from './predict-images.ts';
import type { FromTrainer, Job, RelationshipJob } from './protocol.ts';
import { rank } from './rank.ts';
import { solve } from './solve.ts';
import { train } from './train.ts';
import { verifyExport } from './verify-export.ts';

/**
 * Does one job, reporting as it goes; its last report is `finished`. Throws what went wrong, or the signal's reason. Training
 * runs take their engine from `engines` and leave it there.
 */
export async function runJob(
  job: Job,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  switch (job.kind) {
    case 'train':
      return (hasSteps(job.config) ? train : solve)(job, report, signal, engines);
    case 'average':
      return average(job, report, signal, engines);
    case 'relationship':
      await learn(job, report, signal);
      break;
    case 'calibration':
      await calibrate(job, report, signal);
      break;
    case 'rank':
      await rank(job, report, signal);
      break;
    case 'relationship-arrays':
      report({ type: 'relationship', relationship: await learnFromArrays(job), without: [] });
      break;
    case 'predict':
      await predictImages(job, report, signal);
      break;
    case 'export':
      await exportNetwork(job);
      break;
    case 'verify':
      report({ type: 'verified', check: await verifyExport(job.path) });
      break;
    case 'engines':
      report({ type: 'engines', engines: await listEngines(), auto: await explainChoice(job.cacheFolder) });
      break;
    case 'bench':
      report({ type: 'bench', result: await runBench(job, report, signal) });
      break;
  }
  report({ type: 'finished', result: null });
}

async function learn(
  job: RelationshipJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const engine = await openEngine(job.engine, { cacheFolder: job.cacheFolder });
  report({ type: 'engine', engine: engine.info });
  const { network, file } = openSource(job.model, job.targetClasses);
  const { train, val } = job.samples;
  const unusable = leaveOut([...train, ...val], { learned: train });
  const inputs = { ...job, precision: 'full', unusable } as const;
  report({
    type: 'relationship',
    ...(await learnFromImages(engine, network, file, inputs, report, signal)),
  });
  await engine.dispose();
}
