/**
 * A trainer in every respect but the training: a real process that speaks the protocol, run after run, checkpoints and
 * resumes. Its "weights" are one number folded from the seed step by step, so that a resumed run that lost or repeated a
 * step ends with another result. What it does beyond that, `behavior.json` in the cache folder says.
 */
import { existsSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeFailure } from '../../src-main/engine/run/failure.ts';
import { readSafetensorsHeader, writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { explainSystemError } from '../../src-main/formats/system-error.ts';
import { checkpointPath, type Said } from '../../src-main/trainer/checkpoint.ts';
import type {
  ActivationMap,
  ExplainJob,
  FromTrainer,
  Job,
  JobSample,
  StepWork,
  ToTrainer,
  TrainJob,
  TrainResult,
} from '../../src-main/trainer/protocol.ts';
import type { RunBench, StepBench } from '../../src-shared/bench.ts';
import type { Split } from '../../src-shared/domain.ts';
import { toErrorValue } from '../../src-shared/errors.ts';

export interface Behavior {
  /** Whether runs look at labels. */
  doubts?: boolean;
  /** Pause after each step. */
  stepMs?: number;
  /** At this step: end as if killed, crash, say `failed` (of a device that was lost), exit, or run out of memory. */
  at?: number;
  how?: 'SIGKILL' | 'SIGSEGV' | 'failed' | 'device' | 'exit' | 'memory';
  /** Does not listen to `stop`. */
  deaf?: boolean;
  /** Goes on when the service asks for its end. */
  clings?: boolean;
  /** Is killed when a run has finished, while it waits for the next. */
  diesIdle?: boolean;
  /** The learning rate that scores best on validation; without it scores follow from seed and steps alone. */
  best?: number;
  /** From this learning rate on it diverges. */
  divergesAt?: number;
  /** Only its first life behaves so: a resumed run goes through. */
  once?: boolean;
}

/** Since the last checkpoint. */
let said: Said = { after: 0, messages: [], relationship: false };
const say = (message: FromTrainer, whenSent: () => void = () => {}): void => {
  if (message.type === 'metrics') said.messages.push(message);
  if (message.type === 'relationship') said.relationship = true;
  // With a callback, a channel that has just closed is told to it instead of ending the process.
  if (process.connected) process.send!(message, whenSent);
};
const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));
let working = false;
let stopped = false;

let clings = false;
process.on('disconnect', () => {
  if (!clings) process.exit(0);
});
process.on('message', (message: ToTrainer) => {
  if (message.type === 'start')
    work(message.job).catch((error) =>
      end({ type: 'failed', error: toErrorValue(explainSystemError(error)) }),
    );
  else if (working) stopped = true;
  else process.disconnect();
});
say({ type: 'ready' });

const runBench: RunBench = {
  bench: 'run',
  engine: { name: 'cpu', device: 'a processor', versions: {} },
  step_s: 0.5,
  decode_s: 0.01,
  evaluate_s: 0.1,
  evaluate_start_s: 1,
  prepare_s: 0.2,
  prepare_start_s: 2,
  fixed_s: 3,
  peak_bytes: 2 ** 30,
};

async function work(job: Job): Promise<void> {
  working = true;
  if (job.kind === 'train') await train(job);
  else if (job.kind === 'engines') {
    say({
      type: 'engines',
      engines: [
        { name: 'cpu', available: true, device: 'a processor', reason: '', versions: { onnxruntime: '1' } },
        { name: 'webgpu', available: false, device: '', reason: 'no adapter', versions: {} },
      ],
      auto: 'auto takes cpu.',
    });
  } else if (job.kind === 'relationship') relationship(job.targetClasses, job.model.sourceClasses);
  else if (job.kind === 'rank')
    say({ type: 'ranking', scores: [{ name: 'leep', value: -1, low: -1.1, high: -0.9 }], notes: [] });
  else if (job.kind === 'check') doubt(job.samples);
  else if (job.kind === 'bench') {
    const { what } = job.work;
    if (what === 'train' || what === 'infer') say({ type: 'bench', result: stepBench(job.work) });
    if (what === 'run') say({ type: 'bench', result: runBench });
  } else if (job.kind === 'calibration') {
    const empty = job.samples.filter(({ path }) => statSync(path).size === 0);
    const notes = empty.map(({ path }) => `${path} is left out.`);
    const fit = { temperature: 1.5, nllBefore: 2, nllAfter: 1, notes };
    say({ type: 'calibration', fit, without: empty.map(({ id }) => id) });
  } else if (job.kind === 'relationship-arrays') relationship(2, 3);
  else if (job.kind === 'predict') {
    for (const path of job.paths) {
      const error = existsSync(path)
        ? null
        : { code: 'not-found' as const, message: `${path} is missing`, hint: '' };
      say({ type: 'predicted', path, error, probabilities: error ? null : Float32Array.of(0.25, 0.75) });
    }
  } else if (job.kind === 'explain') explain(job);
  else if (job.kind === 'features') {
    const ids = Int32Array.from(job.samples, ({ id }) => id);
    const values = Float32Array.from({ length: 2 * ids.length }, (_, i) => Math.sin(i));
    say({ type: 'features', ids, components: 2, values });
  } else if (job.kind === 'export') writeFileSync(job.path, `exported ${job.format}`);
  else if (job.kind === 'verify')
    say({ type: 'verified', check: { path: job.path, size: 32, classes: 2, tolerance: 1e-3, vectors: [] } });
  if (job.kind !== 'train') finish(null);
}

/** Finds the label of the first image likely wrong. */
function doubt([{ id: sample }]: readonly JobSample[]): void {
  const sure = {
    suggested: 1,
    givenP: 0.01,
    suggestedP: 0.99,
    score: 4,
    nearestGiven: null,
    nearestSuggested: sample,
  };
  say({ type: 'checked', result: { wrongLabels: [{ sample, ...sure }], alike: [], notes: [] } });
}

/** The first of two places is the class's. */
function explain({ images, mean, label }: ExplainJob): void {
  const map = { how: 'cam' as const, rows: 1, columns: 2, values: Float64Array.of(1, -1) };
  if (mean) say({ type: 'mean-map', map, images: images.length });
  for (const { path } of mean ? [] : images) {
    const missing = { code: 'not-found' as const, message: `${path} is missing`, hint: '' };
    const error = existsSync(path) ? null : missing;
    const found: ActivationMap = {
      ...map,
      label: label ?? 1,
      probabilities: Float32Array.of(0.25, 0.75),
      region: [0.25, 0, 0.5, 1],
    };
    say({ type: 'explained', path, map: error ? null : found, error });
  }
}

/** Ten images a second in training, thirty in passes; a step takes 100 MB. */
function stepBench(work: StepWork): StepBench {
  const { what, model, batch, size, steps, frozen } = work;
  const spread = (median: number) => ({ median, low: median, high: median });
  const rate = what === 'train' ? 10 : 30;
  return {
    bench: what,
    model,
    architecture: 'resnet18',
    takes: 'images',
    batch,
    size,
    steps,
    warmup_steps: 2,
    frozen,
    engine: { name: 'cpu', device: 'a processor', versions: {} },
    step_s: spread(batch / rate),
    images_per_s: spread(rate),
    gflop_per_step: 1,
    gflop_per_s: spread(1),
    product_peak_gflop_per_s: 1,
    share_of_peak: spread(1),
    compile_s: { trace: 0, lower: 0, session: 0, total: 0 },
    first_step_s: 0,
    memory: { before_compile_bytes: 50e6, peak_bytes: 150e6, note: null },
    operators: null,
    operators_note: null,
  };
}

async function train(job: TrainJob): Promise<void> {
  const behavior = readBehavior(job);
  said.relationship = false;
  writeFileSync(join(job.cacheFolder, 'trainer.pid'), String(process.pid));
  clings = behavior.clings ?? false;
  // With nothing to wait for it would end by itself.
  if (clings) setInterval(() => {}, 1000);
  const { steps, checkpointEvery, evaluateEvery, seed } = job.config;
  say({ type: 'engine', engine: { name: 'cpu', device: 'a processor', versions: { fake: '1' } } });
  if (job.config.method.some(({ name }) => name === 'cotuning') && !job.relationship) {
    say({ type: 'progress', phase: 'prepare', done: 0, total: 1 });
    relationship(job.targetClasses, job.model.sourceClasses);
  }
  if (job.config.learningRate >= (behavior.divergesAt ?? Number.POSITIVE_INFINITY))
    return end({ type: 'failed', error: { code: 'diverged', message: 'The loss became NaN.', hint: '' } });
  let state = { step: 0, weight: seed + 1 };
  if (job.resumeFrom) state = JSON.parse(readSafetensorsHeader(job.resumeFrom).metadata.state);
  said = { ...said, after: state.step, messages: [] };
  while (state.step < steps) {
    if (stopped && !behavior.deaf) {
      checkpoint(job, state);
      return end({ type: 'stopped' });
    }
    if (state.step === behavior.at && !(behavior.once && job.resumeFrom)) misbehave(behavior);
    state = { step: state.step + 1, weight: (state.weight * 16807) % 2147483647 };
    say({ type: 'progress', phase: 'train', done: state.step, total: steps });
    const values: Record<string, number> = { loss: state.weight / 2147483647 };
    if (evaluateEvery > 0 && state.step % evaluateEvery === 0) values.val_accuracy = 0.5;
    say({ type: 'metrics', step: state.step, values });
    if (checkpointEvery > 0 && state.step % checkpointEvery === 0) checkpoint(job, state);
    await sleep(behavior.stepMs ?? 0);
  }
  say({ type: 'progress', phase: 'evaluate', done: 0, total: 1 });
  for (const split of ['val', 'test'] as const) predictions(job, split, job.samples[split], state.weight);
  const weightsPath = join(job.runFolder, 'weights.safetensors');
  writeFileSync(weightsPath, JSON.stringify(state));
  const scores = { accuracy: state.weight / 2147483647, macro_f1: 0.5, nll: 0.5, ece: 0.1 };
  const { best } = behavior;
  const val = best
    ? { ...scores, accuracy: 1 / (1 + Math.abs(Math.log(job.config.learningRate / best))) }
    : scores;
  const timing = {
    total_s: 1,
    data_s: 0,
    relationship_s: 0,
    train_s: 1,
    evaluate_s: 0,
    images_per_s: 10,
    data_wait_share: 0,
  };
  const test = job.samples.test.length > 0 ? scores : null;
  if (behavior.doubts) doubt(job.samples.train);
  finish({ steps, test, val, suspects: test && 0, suspectsAmong: 'test', timing, weightsPath }, () => {
    if (behavior.diesIdle) process.kill(process.pid, 'SIGKILL');
  });
}

/** Right for even weights, wrong for odd ones; every image alike. */
function predictions(job: TrainJob, split: Split, samples: JobSample[], weight: number): void {
  if (samples.length === 0) return;
  const probabilities = new Float32Array(samples.length * job.targetClasses).fill(0.1);
  for (const [i, { label }] of samples.entries()) {
    probabilities[i * job.targetClasses + ((label + (weight % 2)) % job.targetClasses)] = 0.9;
  }
  const sampleIds = Int32Array.from(samples, (sample) => sample.id);
  say({
    type: 'predictions',
    predictions: { split, first: 0, total: samples.length, sampleIds, probabilities },
  });
}

function relationship(targets: number, sources: number): void {
  const matrix = new Float32Array(targets * sources).fill(1 / sources);
  say({
    type: 'relationship',
    relationship: {
      approach: 'reverse',
      sourceTemperature: 1,
      temperatureSource: 'default',
      C: 1,
      scale: 1,
      valAccuracy: 1,
      grid: [{ C: 1, objective: 1, val_accuracy: 1 }],
      notes: [],
      targets,
      matrix,
    },
    without: [],
  });
}

function checkpoint(job: TrainJob, state: { step: number; weight: number }): void {
  const path = checkpointPath(job.runFolder, state.step);
  writeSafetensors(path, [['none', { shape: [0], values: new Float32Array() }]], {
    state: JSON.stringify(state),
    said: JSON.stringify(said),
  });
  said = { ...said, after: state.step, messages: [] };
  say({ type: 'checkpoint', step: state.step, path, best: null });
}

function readBehavior(job: TrainJob): Behavior {
  const path = join(job.cacheFolder, 'behavior.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {};
}

function misbehave({ how }: Behavior): void {
  if (how === 'SIGKILL' || how === 'SIGSEGV') process.kill(process.pid, how);
  if (how === 'exit') process.exit(3);
  if (how === 'memory') {
    writeSync(2, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n');
    process.abort();
  }
  if (how === 'failed') {
    end({
      type: 'failed',
      error: { code: 'failed', message: 'The loss is NaN at step 3.', hint: 'Lower --lr.' },
    });
  }
  if (how === 'device') {
    const said = new Error('Failed to download data from buffer. wgpu::MapAsyncStatus value: 3');
    end({ type: 'failed', error: toErrorValue(runtimeFailure(said, 'A step failed')) });
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000);
}

function finish(result: TrainResult | null, whenReady?: () => void): void {
  working = false;
  say({ type: 'finished', result });
  say({ type: 'ready' }, whenReady);
}

function end(message: FromTrainer): void {
  process.send!(message, () => process.disconnect());
}
