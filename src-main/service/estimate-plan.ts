import { availableParallelism, cpus, totalmem } from 'node:os';
import type { RunBench } from '../../src-shared/bench.ts';
import type { Experiment, PlanEstimate } from '../../src-shared/contract.ts';
import type { RunConfig } from '../../src-shared/domain.ts';
import { estimate, type RunsToCome } from '../../src-shared/estimate.ts';
import { type Catalog, choiceLabel, chosenParts } from '../../src-shared/parts.ts';
import { asTrial } from '../../src-shared/search.ts';
import { storedShorter, undecoded } from '../data/stored-images.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import type { RunWork } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { cellsOf } from './experiment-facts.ts';
import { checkPlan, withBaselines } from './experiments.ts';
import { findDataset, findModel } from './lookup.ts';
import type { PlannedRun } from './plan-runs.ts';
import { jobModel, jobSamples, samplesForRun } from './run-samples.ts';

/** A measurement is some hundred bytes. */
const measurementsLimit = 4 * 2 ** 20;
/** Grows when the same run is measured otherwise than before. */
const version = 2;

/**
 * What a plan will take on this machine: every method's step, evaluation and preparation are measured by a short run of exactly its
 * configuration, once; known ones are taken from the cache. Errors: those of starting the plan.
 */
export async function estimatePlan(context: Context, given: Experiment['plan']): Promise<PlanEstimate> {
  const { store, home, device } = context;
  const catalog = (await import('../transfer/catalog.ts')).catalog();
  const model = findModel(store, given.model);
  const plan = await withBaselines(given, model, catalog);
  const cells = cellsOf(plan, catalog);
  const finals = await checkPlan(store, plan, cells);
  const dataset = findDataset(store, plan.dataset);
  const widest = Math.max(...plan.rates);
  const chosen = plan.seeds.map((seed) => samplesForRun(store, dataset, widest, seed).samples);
  const work = (config: RunConfig): RunWork['run'] => ({
    task: dataset.task,
    config,
    targetClasses: dataset.classes.length,
    classNames: dataset.classes,
    model: jobModel(home, model),
    samples: jobSamples(home, dataset.path, chosen[0]),
    cacheFolder: home.cache,
  });
  const measurements: RunBench[] = [];
  const busy = device.holder();
  for (const method of plan.methods.keys()) {
    const at = cells.findIndex((cell) => cell.method === method && cell.rate === widest);
    measurements.push(await measure(context, work(finals[at].run.config), model.hash));
  }
  const learnedFrom = new Set(chosen.flatMap(({ train, val }) => [...train, ...val].map(({ hash }) => hash)));
  const runs = cells.flatMap((cell, i) =>
    // The images of smaller rates are among those of the widest.
    runsOf(cell, finals[i], plan.seeds.length, cell.rate === widest ? learnedFrom.size : 0, catalog),
  );
  const { size } = finals[0].run.config;
  const images = chosen.flatMap(({ train, val, test }) => [...train, ...val, ...test]);
  const firstDecodings = undecoded(images, {
    folder: home.cache,
    shorter: storedShorter(size, jobModel(home, model).preprocessing),
  });
  const { peakBytes, ...whole } = estimate(runs, measurements, firstDecodings);
  return {
    ...whole,
    peakBytes,
    firstDecodings,
    engine: measurements[0].engine.name,
    methods: plan.methods.map((choice, method) => {
      const own = runs.filter(({ measurement }) => measurement === method);
      const { runs: count, seconds } = estimate(own, measurements, 0);
      return { label: choiceLabel(choice), runs: count, seconds, stepSeconds: measurements[method].step_s };
    }),
    notes:
      busy === undefined
        ? []
        : [`Measured beside ${busy.title}: with the machine to itself the plan takes less.`],
  };
}

/** The runs of a cell, by their length. */
function runsOf(
  { method, rounds }: ReturnType<typeof cellsOf>[number],
  { run: { config, samples } }: PlannedRun,
  seeds: number,
  images: number,
  catalog: Catalog,
): RunsToCome[] {
  const prepares = chosenParts(config, catalog).some((part) => part.prepares);
  const searched = rounds.map(({ settings, share }) => ({
    ...lengthOf(asTrial(config, share, catalog)),
    ...samples,
    measurement: method,
    count: settings,
    test: 0,
    prepared: 0,
    preparedImages: 0,
  }));
  // What was prepared for the search on the first seed is there for its training.
  const last = {
    ...lengthOf(config),
    ...samples,
    measurement: method,
    count: seeds,
    prepared: prepares ? seeds : 0,
    preparedImages: prepares ? images : 0,
  };
  return [...searched, last];
}

const lengthOf = ({ steps, evaluateEvery, select }: RunConfig) => ({
  steps,
  validations: (evaluateEvery === 0 ? 0 : Math.ceil(steps / evaluateEvery) - 1) + (select === 'best' ? 1 : 0),
});

/**
 * Measured now, or before on this machine. A person waits for it, who would wait for hours behind the runs of another plan: it is
 * measured beside what has the device, and is then not kept.
 */
async function measure(
  { home, jobs, device }: Context,
  run: RunWork['run'],
  modelHash: string,
): Promise<RunBench> {
  // Everything but what decides a run's numbers or its length only.
  const { dataset, model, preset, rate, seed, steps, learningRate, schedule, ...parts } = run.config;
  const { headLearningRateMultiplier, evaluateEvery, checkpointEvery, select, ...config } = parts;
  const key = contentKey({
    version,
    config: JSON.parse(JSON.stringify(config)),
    modelHash,
    preprocessing: { ...run.model.preprocessing },
    targetClasses: run.targetClasses,
    images: Math.min(run.samples.train.length, 2 * config.batch),
    machine: [
      cpus()[0]?.model ?? '',
      availableParallelism(),
      totalmem(),
      process.platform,
      process.versions.node,
    ],
  });
  const kept = openContentCache(home.cache, 'measured', measurementsLimit);
  const beside = device.holder() !== undefined;
  const make = async () => {
    const found = await jobs.ask(
      { kind: 'bench', work: { what: 'run', run } },
      'a result',
      (message) => (message.type === 'bench' && message.result.bench === 'run' ? message.result : undefined),
      { title: 'the estimate of a plan', beside },
    );
    return Buffer.from(JSON.stringify(found));
  };
  const bytes = await kept.getOrMake(key, make, () => !beside);
  return JSON.parse(Buffer.from(bytes).toString());
}
