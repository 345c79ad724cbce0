import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunBench } from '../../src-shared/bench.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { keepEngine } from '../trainer/kept-engine.ts';
import { evaluationBatch } from '../trainer/predict-logits.ts';
import type { FromTrainer, JobSample, RunWork } from '../trainer/protocol.ts';
import { train } from '../trainer/train.ts';

/** Steps of the short run: the first ones prepare the engine and find batches that were made ahead. */
const shortSteps = 12;
const unmeasured = 5;
const evaluations = 5;

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
    const samples = someOf(run);
    // What has no training steps has none here.
    const steps = Math.min(run.config.steps, shortSteps);
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
    return measured(heard, steps, samples.train.length + samples.val.length);
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
function someOf({ samples, config, targetClasses }: RunWork['run']) {
  const wanted = Math.max(targetClasses, 2 * config.batch);
  const seen = new Set<number>();
  const firsts = samples.train.filter(({ label }) => !seen.has(label) && seen.add(label));
  const rest = samples.train.filter((sample) => !firsts.includes(sample));
  const train: JobSample[] = [...firsts, ...rest].slice(0, wanted);
  const evaluated = Array.from({ length: evaluations * evaluationBatch }, (_, i) => train[i % train.length]);
  return { train, val: evaluated, test: [] };
}

function measured(heard: readonly Heard[], steps: number, images: number): RunBench {
  const progress = (phase: string) =>
    heard.flatMap(({ message, at }) =>
      message.type === 'progress' && message.phase === phase ? [{ done: message.done, at }] : [],
    );
  const engine = heard.find(({ message }) => message.type === 'engine')?.message;
  const finished = heard.find(({ message }) => message.type === 'finished');
  const result = finished?.message.type === 'finished' ? finished.message.result : null;
  if (!finished || !result || engine?.type !== 'engine')
    throw new CotuneError('failed', 'The short run did not end.', 'See `cotune doctor`.');
  const trained = progress('train');
  const durations = trained.slice(1).map(({ at }, i) => at - trained[i].at);
  // A run that is as short has no steps to spare.
  const step = median(durations.length > unmeasured ? durations.slice(unmeasured - 1) : durations);
  const [start, first, ...batches] = progress('evaluate');
  const last = batches.at(-1) ?? first;
  const perImage =
    batches.length > 0 ? (last.at - first.at) / (last.done - first.done) : (first.at - start.at) / first.done;
  const evaluateStart = Math.max(0, first.at - start.at - first.done * perImage);
  const decoded = progress('data').at(-1)?.done ?? 0;
  const { data_s, relationship_s } = result.timing;
  // Waiting for images within steps is in the steps.
  const decoding = Math.max(0, data_s - result.timing.data_wait_share * result.timing.train_s);
  return {
    bench: 'run',
    engine: engine.engine,
    step_s: step,
    decode_s: decoded > 0 ? decoding / decoded : 0,
    evaluate_s: perImage,
    evaluate_start_s: evaluateStart,
    ...preparation(heard, relationship_s, images),
    fixed_s: Math.max(0, finished.at - decoding - relationship_s - steps * step - (last.at - start.at)),
    peak_bytes: process.resourceUsage().maxRSS * 1024,
  };
}

/**
 * What is prepared from every image grows with these; the rest, what is solved from it and what is made of a fixed number of images,
 * is taken to be the same for all runs.
 */
function preparation(heard: readonly Heard[], seconds: number, images: number) {
  const passes = heard.flatMap(({ message, at }) =>
    message.type === 'progress' && message.phase === 'prepare' && message.total === images
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
