import { availableParallelism, cpus, totalmem } from 'node:os';
import type { RunBench } from '../../src-shared/bench.ts';
import type { Experiment, PlanEstimate } from '../../src-shared/contract.ts';
import type { Model, RunConfig } from '../../src-shared/domain.ts';
import { estimate, type RunsToCome } from '../../src-shared/estimate.ts';
import { type Catalog, choiceLabel, chosenParts } from '../../src-shared/parts.ts';
import { asTrial } from '../../src-shared/search.ts';
import { storedShorter, undecoded } from '../data/stored-images.ts';
import { threadOptions } from '../engine/run/threads.ts';
import { contentKey, openContentCache } from '../formats/content-cache.ts';
import { mostLabeled } from '../text/most-labeled.ts';
import type { RunWork } from '../trainer/protocol.ts';
import type { Context } from './context.ts';
import { cellsOf } from './experiment-facts.ts';
import { checkPlan, withBaselines } from './experiments.ts';
import { loadCatalog } from './load-catalog.ts';
import { findDataset, findModel } from './lookup.ts';
import type { PlannedRun } from './plan-runs.ts';
import { jobSamples, runModel, samplesForRun } from './run-samples.ts';

/** A measurement is some hundred bytes. */
const measurementsLimit = 4 * 2 ** 20;
/** Grows when the same run is measured otherwise than before. */
const version = 3;

/**
 * What a plan will take on this machine: every method's step, evaluation and preparation are measured by a short run of exactly its
 * configuration, once; known ones are taken from the cache. Errors: those of starting the plan.
 */
export async function estimatePlan(context: Context, given: Experiment['plan']): Promise<PlanEstimate> {
  const { store, home, device } = context;
  const catalog = await loadCatalog();
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
    model: runModel(home, model, config),
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
  const seeds = plan.seeds.length;
  const runs = cells.flatMap((cell, i) => {
    const { run } = finals[i];
    // The images of smaller rates are among those of the widest.
    const images = cell.rate === widest ? learnedFrom.size : 0;
    const preparations = model.text
      ? textPreparations(cell, run, model, seeds, catalog)
      : imagePreparations(run, seeds, images, catalog);
    return runsOf(cell, finals[i], seeds, preparations, catalog);
  });
  const { size } = finals[0].run.config;
  const images = chosen.flatMap(({ train, val, test }) => [...train, ...val, ...test]);
  const firstDecodings = model.preprocessing
    ? undecoded(images, { folder: home.cache, shorter: storedShorter(size, model.preprocessing) })
    : 0;
  const { peakBytes, ...whole } = estimate(runs, measurements, firstDecodings);
  return {
    ...whole,
    peakBytes,
    firstDecodings,
    engine: measurements[0].engine.name,
    methods: plan.methods.map((choice, method) => {
      const own = runs.filter(({ measurement }) => measurement === method);
      const { runs: count, seconds } = estimate(own, measurements, 0);
      return {
        label: choiceLabel(choice, catalog),
        runs: count,
        seconds,
        stepSeconds: measurements[method].step_s,
      };
    }),
    notes:
      busy === undefined
        ? []
        : [`Measured beside ${busy.title}: with the machine to itself the plan takes less.`],
  };
}

type Preparations = Pick<RunsToCome, 'prepared' | 'preparedImages'>;

/** What was prepared for the search on the first seed is there for its training, and what was made of an image for all runs. */
function imagePreparations(
  { config }: PlannedRun['run'],
  seeds: number,
  images: number,
  catalog: Catalog,
): Preparations {
  const prepares = chosenParts(config, catalog).some((part) => part.prepares);
  return prepares ? { prepared: seeds, preparedImages: images } : { prepared: 0, preparedImages: 0 };
}

/** Of texts only a relationship is kept, which is learned from no more of them than memory holds; the rest is made for every run. */
function textPreparations(
  { rounds }: ReturnType<typeof cellsOf>[number],
  { config, samples: { train, val } }: PlannedRun['run'],
  { sourceClasses }: Model,
  seeds: number,
  catalog: Catalog,
): Preparations {
  const preparing = chosenParts(config, catalog).filter((part) => part.prepares);
  const isKept = preparing.every((part) => part.needs.includes('relationship'));
  const runs = seeds + (isKept ? 0 : rounds.reduce((sum, { settings }) => sum + settings, 0));
  const most = isKept ? mostLabeled(sourceClasses.length) : Number.POSITIVE_INFINITY;
  const prepared = preparing.length > 0 ? runs : 0;
  return { prepared, preparedImages: prepared * (Math.min(train, most) + Math.min(val, most)) };
}

/** The runs of a cell, by their length. */
function runsOf(
  { method, rounds }: ReturnType<typeof cellsOf>[number],
  { run: { config, samples } }: PlannedRun,
  seeds: number,
  preparations: Preparations,
  catalog: Catalog,
): RunsToCome[] {
  const searched = rounds.map(({ settings, share }) => ({
    ...lengthOf(asTrial(config, share, catalog)),
    ...samples,
    measurement: method,
    count: settings,
    test: 0,
    prepared: 0,
    preparedImages: 0,
  }));
  const last = {
    ...lengthOf(config),
    ...samples,
    measurement: method,
    count: seeds,
    ...preparations,
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
    model: 'text' in run.model ? { longest: run.model.longest } : { ...run.model.preprocessing },
    task: run.task,
    targetClasses: run.targetClasses,
    samples:
      'text' in run.model
        ? run.samples.train.map(({ hash }) => hash)
        : Math.min(run.samples.train.length, 2 * config.batch),
    machine: [
      cpus()[0]?.model ?? '',
      threadOptions().intraOpNumThreads ?? availableParallelism(),
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
