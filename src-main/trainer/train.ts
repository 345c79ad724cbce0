import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { Arrays } from '../engine/engine.ts';
import { copyWhole } from '../formats/write-whole.ts';
import { taskOf } from '../tasks/index.ts';
import { optimizerOf, scheduleOf, termsOf } from '../transfer/catalog.ts';
import { feedsAt } from '../transfer/feeds.ts';
import { initialState } from '../transfer/initial-state.ts';
import { evaluationTensors } from '../transfer/network.ts';
import { ownTensors, withoutOwnTensors } from '../transfer/own-tensors.ts';
import { averageName } from '../transfer/step-plan.ts';
import type { Validation } from '../transfer/term.ts';
import { trainingProgram } from '../transfer/training-program.ts';
import { withNorm } from '../transfer/updates.ts';
import { beginRun } from './begin-run.ts';
import { bestPath, type Checkpoint, readCheckpoint, type Said, writeCheckpoint } from './checkpoint.ts';
import { checkFinite, divergence } from './divergence.ts';
import type { KeptEngine } from './kept-engine.ts';
import { leaveOutOf } from './leave-out-of.ts';
import { openTeacher } from './open-teacher.ts';
import { prepareTerms } from './prepare-terms.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';
import { stopwatch } from './stopwatch.ts';
import { isTestedOtherwise, testTrained, validationCurves } from './test-trained.ts';

/** Points of a curve that are worth storing: a longer run reports every so many steps. */
const curvePoints = 2000;

/**
 * One run from the pre-trained weights, or its checkpoint, to the test accuracy. Everything that decides the numbers,
 * learning rate, batches and augmentation included, is a function of (seed, step), so that a resumed run ends with the
 * very same ones. All that it writes stays on the disk: the service removes it once it has recorded what replaces it.
 * Throws the signal's reason when stopped, after writing a checkpoint. The engine and the compiled step
 * stay with `engines`, for a run that follows.
 */
export async function train(
  job: TrainJob,
  tell: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  const { config, samples } = job;
  const said: Said = { after: 0, messages: [], relationship: false };
  const report = (message: FromTrainer): void => {
    if (message.type === 'metrics' || message.type === 'note') said.messages.push(message);
    if (message.type === 'relationship') said.relationship = true;
    tell(message);
  };
  const engine = await beginRun(job, report, engines);

  // The pre-trained backbone F with its source head G_s, and a new target head H.
  const task = taskOf(job.task);
  const terms = termsOf(config.method, config.extras);
  const { file, network } = task.openSource(job.model, job.classNames, terms);
  const teaching = await openTeacher(job, task, network.targetClasses);
  const chosen = {
    ...config,
    terms,
    optimizer: optimizerOf(config.optimizer),
    teacher: teaching?.teacher,
    input: task.input,
  };
  const whole = trainingProgram(network, chosen);
  const { schedule, options: course } = scheduleOf(config.schedule);
  const learningRateAt = (step: number) => config.learningRate * schedule.factor(step, config.steps, course);
  const resumed = job.resumeFrom === null ? null : readCheckpoint(job, whole.state, job.resumeFrom);
  if (resumed && resumed.engine !== engine.info.name)
    report({
      type: 'note',
      text: `Trained by the engine ${resumed.engine} up to step ${resumed.step}, then by ${engine.info.name}: expect small differences.`,
    });
  const watch = stopwatch(resumed?.timing ?? null);

  const unusable = leaveOutOf(job, report);

  let read: Arrays | undefined;
  const weights = () => {
    read ??= readNetwork(file, file.tensors);
    return read;
  };
  // What terms are made of: the relationship p(y_s | y_t) for one. A checkpoint has it.
  const prepared = resumed
    ? {}
    : await watch.time('relationship_s', () =>
        prepareTerms(terms, { engine, network, file, unusable, weights }, job, report, signal),
      );

  const firstStep = resumed?.step ?? 0;
  const { batch, seed, steps } = config;
  const begins = resumed === null;
  const data = await watch.time('data_s', () =>
    task.openTraining({ job, engine, network, options: chosen, unusable, weights, begins, report, signal }),
  );
  const [program, ...others] = data.shapes.map((shape) =>
    trainingProgram(network, { ...chosen, ...shape, prefix: data.prefix }),
  );
  // Opened before the step is compiled: threads make the first batches meanwhile.
  const batches = await watch.time('data_s', () => data.openFrom(firstStep));
  const executable = await engine.compile(program, { keep: others.length === 0 });
  const executables = [executable];
  for (const other of others) executables.push(await engine.compile(other, { over: executable }));
  await executable.load(
    resumed?.state ??
      initialState(program, network, weights(), config.seed, { ...prepared, ...teaching?.state }),
  );
  // They are the executable's now.
  read = undefined;
  let best: Checkpoint['best'] = resumed?.best ?? null;
  const validations: Validation[] = [...(resumed?.validations ?? [])];
  said.after = firstStep;
  if (config.select === 'best' && samples.val.length === 0)
    report({
      type: 'note',
      text: `There are no validation ${taskNamed(job.task).samples}: the weights of the last step are tested.`,
    });

  async function checkpoint(step: number): Promise<void> {
    const state = await executable.read();
    checkFinite(step, state, learningRateAt(step - 1));
    const facts = { step, state, best, validations, timing: watch.timing(), engine: engine.info.name };
    const path = writeCheckpoint(job, program.state, facts, said);
    said.after = step;
    said.messages = [];
    report({ type: 'checkpoint', step, path, best: best && bestPath(job.runFolder, best.step) });
  }

  /** The weights to evaluate and to keep: averages where terms make them, and what terms put in place of tensors worked out. */
  async function evaluated(): Promise<Arrays> {
    const names = [...evaluationTensors(network, 'target'), ...ownTensors(network, terms)].map(
      ({ name }) => [name, program.state[averageName(name)] ? averageName(name) : name] as const,
    );
    const read = await executable.read(names.map(([, inState]) => inState));
    const weights = Object.fromEntries(names.map(([name, inState]) => [name, read[inState]]));
    return withoutOwnTensors(engine, network, terms, weights);
  }

  /** Scores the weights as they are on the validation images, and keeps them where they are the best so far. */
  async function validate(step: number): Promise<void> {
    const weights = await evaluated();
    checkFinite(step, weights, learningRateAt(step - 1));
    const trained = { network, weights, head: 'target' } as const;
    const { metrics } = (await task.evaluate(engine, trained, { val: samples.val }, { ...job, unusable }))
      .val;
    if (!metrics) return;
    const score = taskNamed(job.task).score.of(metrics);
    validations.push({ step, accuracy: score });
    report({ type: 'metrics', step, values: validationCurves(metrics) });
    if (config.select === 'last' || (best && best.accuracy >= score)) return;
    task.writeTrained(bestPath(job.runFolder, step), network, weights, job);
    // What no checkpoint names is needed no more; all other files are the service's to remove.
    if (best && best.step > said.after) rmSync(bestPath(job.runFolder, best.step), { force: true });
    best = { step, accuracy: score };
  }

  /** Why training ends before its last step. A checkpoint may stand where it did. */
  const stopReason = () =>
    terms.map(({ term, options }) => term.stops?.(validations, options) ?? null).find((why) => why !== null);
  let stopped = stopReason();
  let done = firstStep;
  const reportEvery = Math.ceil(steps / curvePoints);
  let lastLoss: number | null = null;
  try {
    while (done < steps && !stopped) {
      const step = ++done;
      const learningRate = learningRateAt(step - 1);
      const from = performance.now();
      const {
        results: outputs,
        rows,
        shape,
      } = await watch.time('train_s', async () => {
        const { shape, fed, rows } = await watch.time('waited_s', () => batches.next());
        const shaped = { ...chosen, ...data.shapes[shape] };
        const results = withNorm(
          await executables[shape].run({
            ...fed,
            ...feedsAt(step - 1, learningRate, network, shaped, seed),
          }),
        );
        if (!Number.isFinite(results.loss[0]))
          throw divergence(step, results.loss[0], fed[task.input.takes], lastLoss, learningRate);
        return { results, rows, shape };
      });
      lastLoss = outputs.loss[0];
      report({ type: 'progress', phase: 'train', done: step, total: steps, work: data.work?.[shape] ?? 1 });
      if (step % reportEvery === 0 || step === steps)
        report({
          type: 'metrics',
          step,
          values: {
            ...curves(outputs, rows),
            lr: learningRate,
            images_per_s: (1000 * batch) / (performance.now() - from),
          },
        });

      const atEnd = step === steps;
      const scheduled = config.evaluateEvery > 0 && step % config.evaluateEvery === 0 && !atEnd;
      if (
        samples.val.length > 0 &&
        (scheduled || (atEnd && (config.select === 'best' || isTestedOtherwise(config))))
      )
        await watch.time('evaluate_s', () => validate(step));
      stopped = stopReason();
      const last = atEnd || stopped;
      // Messages such as a stop arrive between turns of the event loop.
      await turnOfLoop();
      if (last || signal.aborted || (config.checkpointEvery > 0 && step % config.checkpointEvery === 0))
        await checkpoint(step);
      signal.throwIfAborted();
    }
  } finally {
    await batches.close();
  }

  if (stopped && done < steps)
    report({ type: 'note', text: `Stopped early, after ${done} of ${steps} steps: ${stopped}` });
  // What is tested is the file that is kept.
  const weightsPath = join(job.runFolder, 'weights.safetensors');
  if (best && best.step < done) copyWhole(bestPath(job.runFolder, best.step), weightsPath);
  else task.writeTrained(weightsPath, network, await evaluated(), job);
  for (const one of executables.toReversed()) await one.dispose();
  await testTrained(weightsPath, done, engine, { ...job, unusable }, watch, report, signal);
}

/** A step's outputs as points of curves. */
function curves({ correct, ...losses }: Arrays, rows: number): Record<string, number> {
  const values = Object.entries(losses).map(([name, [value]]) => [name, value] as const);
  return { ...Object.fromEntries(values), train_accuracy: correct[0] / Math.max(1, rows) };
}
