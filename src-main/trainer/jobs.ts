import { hasSteps } from '../../src-shared/run-settings.ts';
import type { KeptEngine } from './kept-engine.ts';
import type { FromTrainer, Job } from './protocol.ts';

/** What a job needs is loaded with it: all together takes half a second, which is long beside a small job. */
const load = {
  train: () => import('./train.ts'),
  solve: () => import('./solve.ts'),
  average: () => import('./average.ts'),
  relationship: () => import('./relationship-of-images.ts'),
  calibration: () => import('./calibrate.ts'),
  rank: () => import('./rank.ts'),
  check: () => import('./check-dataset.ts'),
  'relationship-arrays': () => import('./learn-from-arrays.ts'),
  predict: () => import('./predict-images.ts'),
  'predict-texts': () => import('./predict-texts.ts'),
  explain: () => import('./explain.ts'),
  features: () => import('./features.ts'),
  export: () => import('./export.ts'),
  'export-texts': () => import('./export-texts.ts'),
  verify: () => import('./verify-export.ts'),
  engines: () => import('../engine/open.ts'),
  bench: () => import('../bench/run-bench.ts'),
} satisfies Record<Job['kind'] | 'solve', () => Promise<unknown>>;

/** Loads what a job of that kind will need, and the runtime that nearly all of them come to. */
export async function prepareFor(kind: Job['kind']): Promise<void> {
  await load[kind]();
  const { startRuntime } = await import('../engine/start-runtime.ts');
  await startRuntime();
}

/**
 * Does one job, reporting as it goes; its last report is `finished`. Throws what went wrong, or the signal's reason. Training
 * runs, and looking into networks, take their engine from `engines` and leave it there.
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
        ? (await load.train()).train(job, report, signal, engines)
        : (await load.solve()).solve(job, report, signal, engines);
    case 'average':
      return (await load.average()).average(job, report, signal, engines);
    case 'relationship':
      await (await load.relationship()).relationshipOfImages(job, report, signal);
      break;
    case 'calibration':
      await (await load.calibration()).calibrate(job, report, signal);
      break;
    case 'rank':
      await (await load.rank()).rank(job, report, signal);
      break;
    case 'check':
      await (await load.check()).checkDataset(job, report, signal);
      break;
    case 'relationship-arrays':
      report({
        type: 'relationship',
        relationship: await (await load['relationship-arrays']()).learnFromArrays(job),
        without: [],
      });
      break;
    case 'predict':
      await (await load.predict()).predictImages(job, report, signal);
      break;
    case 'predict-texts':
      await (await load['predict-texts']()).predictTexts(job, report, signal);
      break;
    case 'explain':
      await (await load.explain()).explain(job, report, signal, engines);
      break;
    case 'features':
      await (await load.features()).features(job, report, signal);
      break;
    case 'export':
      await (await load.export()).exportNetwork(job);
      break;
    case 'export-texts':
      await (await load['export-texts']()).exportTexts(job);
      break;
    case 'verify':
      report({ type: 'verified', check: await (await load.verify()).verifyExport(job.path) });
      break;
    case 'engines': {
      const { explainChoice, listEngines } = await load.engines();
      report({ type: 'engines', engines: await listEngines(), auto: await explainChoice(job.cacheFolder) });
      break;
    }
    case 'bench':
      report({
        type: 'bench',
        result: await (await load.bench()).runBench(job, report, signal),
      });
      break;
  }
  report({ type: 'finished', result: null });
}
