import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turnOfLoop } from 'node:timers/promises';
import type { OperatorTime, StepBench } from '../../src-shared/bench.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { inverted, spreadOf } from '../../src-shared/spread.ts';
import type { Arrays, Compiled, Engine } from '../engine/engine.ts';
import { countFlops } from '../engine/flops.ts';
import { openEngine } from '../engine/open.ts';
import type { StepWork } from '../trainer/protocol.ts';
import { operatorTimes } from './operator-times.ts';
import { productPeak } from './product-peak.ts';
import { type StepProgram, stepProgram } from './step-program.ts';
import { textStepProgram } from './text-step-program.ts';

const warmupSteps = 2;
/** A step leaves megabytes of events. */
const profiledSteps = 20;

/**
 * Measures steps of a network on one synthetic batch in memory: the time of a step, the operations a second that it
 * makes of those counted from its program, and their share of what the same engine reaches in a large matrix product.
 * `onStep` is told the steps done and may throw to end it. Throws `bad-input` where a profile of too many steps is asked
 * for, and what `openEngine` throws.
 */
export async function benchStep(
  work: StepWork,
  onStep: (done: number, total: number) => void = () => {},
): Promise<StepBench> {
  if (work.profile && work.steps > profiledSteps)
    throw new CotuneError(
      'bad-input',
      `A profile of ${work.steps} steps is too long to be read.`,
      `Take at most ${profiledSteps} steps.`,
    );
  const folder = work.profile ? await mkdtemp(join(tmpdir(), 'cotune-profile-')) : null;
  try {
    const engine = await openEngine(work.engine, folder ? { profile: join(folder, 'step') } : {});
    try {
      return await measure(engine, work, folder, onStep);
    } finally {
      await engine.dispose();
    }
  } finally {
    if (folder) await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  engine: Engine,
  work: StepWork,
  profileFolder: string | null,
  onStep: (done: number, total: number) => void,
): Promise<StepBench> {
  const { what, batch, size, steps, network } = work;
  const ofTexts = typeof network !== 'string' && 'text' in network;
  const step = ofTexts ? textStepProgram(work, network) : stepProgram(work, network);
  const before = highestMemory();
  const executable = await prepare(engine, step);
  const seconds: number[] = [];
  for (let done = 0; done < warmupSteps + steps; done++) {
    const from = performance.now();
    let outputs: Arrays = {};
    for (let pass = 0; pass < step.passes; pass++) outputs = await executable.run(step.batch);
    seconds.push((performance.now() - from) / 1000);
    checkFinite(outputs);
    onStep(done + 1, warmupSteps + steps);
    // Messages such as a stop arrive between turns of the event loop.
    await turnOfLoop();
  }
  const peak = highestMemory();
  await executable.dispose();
  const operators = profileFolder === null ? null : await readProfile(profileFolder, step.passes);
  const productPeakRate = await productPeak(engine);

  const gflop = (step.passes * countFlops(step.program)) / 1e9;
  const stepSeconds = spreadOf(seconds.slice(warmupSteps));
  const { trace, lower, session } = executable.compileSeconds;
  const { name } = engine.info;
  return {
    bench: what,
    model: work.model,
    architecture: step.architecture,
    takes: ofTexts ? 'texts' : 'images',
    batch,
    size,
    steps,
    warmup_steps: warmupSteps,
    frozen: work.frozen,
    engine: engine.info,
    step_s: stepSeconds,
    images_per_s: inverted(stepSeconds, (each) => batch / each),
    gflop_per_step: gflop,
    gflop_per_s: inverted(stepSeconds, (each) => gflop / each),
    product_peak_gflop_per_s: productPeakRate,
    share_of_peak: inverted(stepSeconds, (each) => gflop / each / productPeakRate),
    compile_s: { trace, lower, session, total: trace + lower + session },
    first_step_s: seconds[0],
    memory: {
      before_compile_bytes: before,
      peak_bytes: peak,
      note:
        name === 'cpu'
          ? null
          : `Memory of the graphics adapter that the ${name} engine uses is not included.`,
    },
    operators,
    operators_note:
      profileFolder !== null && operators === null
        ? `The ${name} engine does not tell the time of its operators; --engine cpu does.`
        : null,
  };
}

/** Compiles and loads; the weights are no longer held when it returns. */
async function prepare(engine: Engine, { program, constants, state }: StepProgram): Promise<Compiled> {
  const executable = await engine.compile(program, { constants: constants(), consumes: true });
  await executable.load(state());
  return executable;
}

/** The highest resident memory of this process so far, in bytes. */
const highestMemory = (): number => process.resourceUsage().maxRSS * 1024;

/** Arithmetic with values that are not numbers takes another time. */
function checkFinite({ loss, logits }: Arrays): void {
  if ((loss ?? logits).every(Number.isFinite)) return;
  throw new CotuneError(
    'failed',
    'The network computes values that are not numbers: its times would mean nothing.',
    'Take an architecture by name, or a network that was trained.',
  );
}

/** Time by operator, from the file that the step's session has left; null where there is none. */
async function readProfile(folder: string, passes: number): Promise<OperatorTime[] | null> {
  const [file] = await readdir(folder);
  return file === undefined
    ? null
    : operatorTimes(await readFile(join(folder, file), 'utf8'), warmupSteps, passes);
}
