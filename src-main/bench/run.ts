import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunBench } from '../../src-shared/bench.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { keepEngine } from '../trainer/kept-engine.ts';
import { evaluationBatch } from '../trainer/predict-logits.ts';
import type { FromTrainer, JobSample, RunWork } from '../trainer/protocol.ts';
import { train } from '../trainer/train.ts';

/** Steps of the short run: the first ones prepare the engine and find batches that were made ahead. Texts come in several lengths. */
const shortSteps = { images: 12, texts: 24 };
const unmeasured = 5;
const evaluations = { images: 5, texts: 10 };
/** Texts of a short run: enough to be as long as all of them are. */
const shortTexts = 512;

/**
 * Measures a run by training a short one with the same program, network, batch and images: the very code that a run is made of, so
 * that whatever a method adds is in it. Decoded images go into a folder of its own: what is measured does not depend on what
 * was decoded before.
 */
export async function benchRun({ run }: RunWork, signal: AbortSignal): Promise<RunBench> {
  const folder = await mkdtemp(join(tmpdir(), 'cotune-run-'));
  const engines = keepEngine();
  // Opened before, and with the product's own cache: a run finds what probing the engines has found.
  const opened = {
    ...engines,
    open: (request: Parameters<typeof engines.open>[0]) =>
      engines.open({ ...request, cacheFolder: run.cacheFolder }),
  };
  try {
    await opened.open({ ...run.config, cacheFolder: run.cacheFolder });
    const heard: Heard[] = [];
    const began = performance.now();
    const hear = (message: FromTrainer) =>
      void heard.push({ message, at: (performance.now() - began) / 1000 });
    const { takes } = taskNamed(run.task);
    const samples = takes === 'texts' ? someTexts(run) : someImages(run);
    // What has no training steps has none here.
    const steps = Math.min(run.config.steps, shortSteps[takes]);
    const config = { ...run.config, steps, evaluateEvery: 0, checkpointEvery: 0, select: 'last' as const };
    await train(
      {
        ...run,
        kind: 'train',
        run: 0,
        config,
        samples,
        relationship: null,
        teacher: null,
        cacheFolder: folder,
        runFolder: join(folder, 'run'),
        resumeFrom: null,
      },
      hear,
      signal,
      opened,
    );
    return measured(heard, samples.train.length + samples.val.length);
  } finally {
    await engines.dispose();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Heard {
  message: FromTrainer;
  at: number;
}

/** An image of every class and two batches; evaluated are images that were trained on, which are decoded by then. */
function someImages({ samples, config, targetClasses }: RunWork['run']) {
  const wanted = Math.max(targetClasses, 2 * config.batch);
  const seen = new Set<number>();
  const firsts = samples.train.filter(({ label }) => !seen.has(label) && seen.add(label));
  const rest = samples.train.filter((sample) => !firsts.includes(sample));
  const train: JobSample[] = [...firsts, ...rest].slice(0, wanted);
  const evaluated = Array.from(
    { length: evaluations.images * evaluationBatch },
    (_, i) => train[i % train.length],
  );
  return { train, val: evaluated, test: [] };
}

/** Texts evenly over all, so that they are as long as these. */
function someTexts({ samples, config }: RunWork['run']) {
  const evenly = (most: number) => {
    const count = Math.min(most, samples.train.length);
    return Array.from(
      { length: count },
      (_, i) => samples.train[Math.floor((i * samples.train.length) / count)],
    );
  };
  return {
    train: evenly(Math.max(shortTexts, 2 * config.batch)),
    val: evenly(evaluations.texts * evaluationBatch),
    test: [],
  };
}

function measured(heard: readonly Heard[], samples: number): RunBench {
  const progress = (phase: string) =>
    heard.flatMap(({ message, at }) =>
      message.type === 'progress' && message.phase === phase
        ? [{ done: message.done, at, work: message.work ?? 1 }]
        : [],
    );
  const engine = heard.find(({ message }) => message.type === 'engine')?.message;
  const finished = heard.find(({ message }) => message.type === 'finished');
  const result = finished?.message.type === 'finished' ? finished.message.result : null;
  if (!finished || !result || engine?.type !== 'engine')
    throw new CotuneError('failed', 'The short run did not end.', 'See `cotune doctor`.');
  const trained = progress('train');
  const stepOf = stepTime(trained);
  const evaluation = evaluationTime(progress('evaluate'));
  const decoded = progress('data').at(-1)?.done ?? 0;
  const { data_s, relationship_s } = result.timing;
  const training = trained.reduce((sum, { work }) => sum + stepOf(work), 0);
  // Waiting for images within steps is in the steps.
  const decoding = Math.max(0, data_s - result.timing.data_wait_share * result.timing.train_s);
  return {
    bench: 'run',
    engine: engine.engine,
    step_s: stepOf(1),
    decode_s: decoded > 0 ? decoding / decoded : 0,
    evaluate_s: evaluation.each,
    evaluate_start_s: evaluation.start,
    ...preparation(heard, relationship_s, samples),
    fixed_s: Math.max(0, finished.at - decoding - relationship_s - training - evaluation.whole),
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  };
}

interface Told {
  done: number;
  at: number;
  work: number;
}

/**
 * Seconds of a step by what it has of a usual one's pixels or pieces: the median where all have as much, else a line through those
 * measured, since part of a step, updating the weights, is the same for all.
 */
function stepTime(trained: readonly Told[]): (work: number) => number {
  const steps = trained.slice(1).map(({ at, work }, i) => ({ seconds: at - trained[i].at, work }));
  // A run that is as short has no steps to spare.
  const measured = steps.length > unmeasured ? steps.slice(unmeasured - 1) : steps;
  const middle = median(measured.map(({ seconds }) => seconds));
  const mean = (of: (step: (typeof steps)[number]) => number) =>
    measured.reduce((sum, step) => sum + of(step), 0) / measured.length;
  const [work, seconds] = [mean((step) => step.work), mean((step) => step.seconds)];
  const spread = mean((step) => (step.work - work) ** 2);
  if (!(spread > 0)) return () => middle;
  const slope = Math.max(0, mean((step) => (step.work - work) * (step.seconds - seconds)) / spread);
  return (one) => Math.max(0, seconds + slope * (one - work));
}

/** Seconds for each sample, and besides, of an evaluation. What passes while no sample is done, and before the first, is compiling. */
function evaluationTime(told: readonly Told[]): { each: number; start: number; whole: number } {
  const parts = told
    .slice(1)
    .map(({ done, at }, i) => ({ samples: done - told[i].done, seconds: at - told[i].at }));
  const later = parts.slice(1).filter(({ samples }) => samples > 0);
  const batches = later.length > 0 ? later : parts;
  const sum = (of: 'samples' | 'seconds', list: typeof parts) => list.reduce((all, one) => all + one[of], 0);
  const [each, whole] = [sum('seconds', batches) / sum('samples', batches), sum('seconds', parts)];
  return { each, whole, start: Math.max(0, whole - sum('samples', parts) * each) };
}

/**
 * What is prepared from every sample grows with these; the rest, what is solved from it and what is made of a fixed number of samples,
 * is taken to be the same for all runs.
 */
function preparation(heard: readonly Heard[], seconds: number, samples: number) {
  const passes = heard.flatMap(({ message, at }) =>
    message.type === 'progress' && message.phase === 'prepare' && message.total === samples
      ? [{ done: message.done, at }]
      : [],
  );
  const [first, last] = [passes[0], passes.at(-1)];
  const passed = first && last ? last.done - first.done : 0;
  const passing = passed > 0 ? last!.at - first.at : 0;
  return {
    prepare_s: passed > 0 ? passing / passed : 0,
    prepare_start_s: Math.max(0, seconds - passing),
  };
}

/** 0 of none. */
function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
