import { hasSteps } from '../../src-shared/run-settings.ts';
import type { KeptEngine } from './kept-engine.ts';
import type { FromTrainer, Job } from './protocol.ts';

/**
 * Does one job, reporting as it goes; its last report is `finished`. Throws what went wrong, or the signal's reason. Training
 * runs, and looking into networks, take their engine from `engines` and leave it there.
 *
 * What a job needs is loaded with it: all together takes half a second, which is long beside a small job.
 */
export async function runJob(
  job: Job,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  switch (job.kind) {
    case 'train':
      return hasSteps(job.config)
        ? (await import('./train.ts')).train(job, report, signal, engines)
        : (await import('./solve.ts')).solve(job, report, signal, engines);
    case 'average':
      return (await import('./average.ts')).average(job, report, signal, engines);
    case 'relationship':
      await (await import('./relationship-of-images.ts')).relationshipOfImages(job, report, signal);
      break;
    case 'calibration':
      await (await import('./calibrate.ts')).calibrate(job, report, signal);
      break;
    case 'rank':
      await (await import('./rank.ts')).rank(job, report, signal);
      break;
    case 'check':
      await (await import('./check-dataset.ts')).checkDataset(job, report, signal);
      break;
    case 'relationship-arrays':
      report({
        type: 'relationship',
        relationship: await (await import('./learn-from-arrays.ts')).learnFromArrays(job),
        without: [],
      });
      break;
    case 'predict':
      await (await import('./predict-images.ts')).predictImages(job, report, signal);
      break;
    case 'predict-texts':
      await (await import('./predict-texts.ts')).predictTexts(job, report, signal);
      break;
    case 'explain':
      await (await import('./explain.ts')).explain(job, report, signal, engines);
      break;
    case 'features':
      await (await import('./features.ts')).features(job, report, signal);
      break;
    case 'export':
      await (await import('./export.ts')).exportNetwork(job);
      break;
    case 'export-texts':
      await (await import('./export-texts.ts')).exportTexts(job);
      break;
    case 'verify':
      report({ type: 'verified', check: await (await import('./verify-export.ts')).verifyExport(job.path) });
      break;
    case 'engines': {
      const { explainChoice, listEngines } = await import('../engine/open.ts');
      report({ type: 'engines', engines: await listEngines(), auto: await explainChoice(job.cacheFolder) });
      break;
    }
    case 'bench':
      report({
        type: 'bench',
        result: await (await import('../bench/run-bench.ts')).runBench(job, report, signal),
      });
      break;
  }
  report({ type: 'finished', result: null });
}
