import { rmSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Engine } from '../../src-main/engine/engine.ts';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { openTrainer } from '../../src-main/service/trainer-job.ts';
import { type KeptEngine, keepEngine } from '../../src-main/trainer/kept-engine.ts';
import type { TrainJob } from '../../src-main/trainer/protocol.ts';
import type { RunConfig } from '../../src-shared/domain.ts';
import { converse, Transcript, trainerFixture } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000 });
let fixture: Awaited<ReturnType<typeof trainerFixture>>;
beforeAll(async () => {
  fixture = await trainerFixture();
});
afterAll(() => rmSync(fixture.folder, { recursive: true }));

/** Everything in a run that has to be the same; rates of images differ each time. */
const numbers = (said: Transcript) => ({
  loss: said.curve('loss'),
  accuracy: said.curve('val_accuracy'),
  val: said.probabilities('val'),
  test: said.probabilities('test'),
});

/** Whether the training step of each run that used `engine` was compiled, in their order. */
function watchCompiling(engine: Engine): boolean[] {
  const compiled: boolean[] = [];
  const compile = engine.compile;
  engine.compile = async (program, options) => {
    const executable = await compile(program, options);
    if (options?.keep) compiled.push(executable.compileSeconds.session > 0);
    return executable;
  };
  return compiled;
}

const runWith = (engines: KeptEngine, job: TrainJob) => converse(job, () => {}, new Transcript(), engines);

const known = new Map<string, ReturnType<typeof numbers>>();
/** Numbers of a run on an engine of its own. */
async function alone(changes: Partial<RunConfig>): Promise<ReturnType<typeof numbers>> {
  const key = JSON.stringify(changes);
  if (!known.has(key)) {
    const engines = keepEngine();
    known.set(key, numbers(await runWith(engines, fixture.job(changes))));
    await engines.dispose();
  }
  return known.get(key)!;
}

test('runs that follow each other on an engine share a step where they can, with the numbers of each alone', async () => {
  const plan: Partial<RunConfig>[] = [
    { seed: 1 },
    { seed: 2, evaluateEvery: 2, select: 'best' },
    { seed: 2, learningRate: 0.003, steps: 4 },
    { seed: 2, method: [{ name: 'cotuning', approach: 'direct' }] },
    { seed: 3, method: [{ name: 'cotuning', approach: 'direct' }] },
    { seed: 3, batch: 5 },
  ];
  const engines = keepEngine();
  const compiled = watchCompiling(
    await engines.open({ engine: 'cpu', precision: 'full', cacheFolder: fixture.cacheFolder }),
  );
  const tensors: number[] = [];
  for (const changes of plan) {
    const together = await runWith(engines, fixture.job(changes));
    // tf.memory() asks the backend for bytes, which the one that traces has not.
    tensors.push(tf.engine().state.numTensors);
    expect(numbers(together)).toEqual(await alone(changes));
  }
  expect(compiled).toEqual([true, false, false, true, false, true]);
  expect(new Set(tensors).size).toBe(1);
  await engines.dispose();
});

test('another precision or engine is opened anew; no step is taken over from the one before', async () => {
  const engines = keepEngine();
  for (const changes of [{}, { precision: 'mixed' }, {}, { engine: 'auto' }] as Partial<RunConfig>[]) {
    const said = await runWith(engines, fixture.job(changes));
    expect(numbers(said)).toEqual(await alone(changes));
  }
  const request = { engine: 'cpu', precision: 'full', cacheFolder: fixture.cacheFolder } as const;
  const full = await engines.open(request);
  expect(await engines.open(request)).toBe(full);
  expect(await engines.open({ ...request, precision: 'mixed' })).not.toBe(full);
  expect(await engines.open(request)).not.toBe(full);
  await engines.dispose();
});

test('a trainer process does run after run with the numbers of a fresh one; a kill concerns its own run only', async () => {
  const trainer = openTrainer(forkTrainer());
  const start = (job: TrainJob, onMessage: (said: Transcript) => void = () => {}) => {
    const said = new Transcript();
    const running = trainer.start(job, (message) => {
      said.messages.push(message);
      onMessage(said);
    });
    return { running, said };
  };
  const first = start(fixture.job({ seed: 1 }));
  const { pid } = first.running;
  await first.running.ended;
  const second = start(fixture.job({}));
  await second.running.ended;
  expect(second.running.pid).toBe(pid);
  expect(numbers(first.said)).toEqual(await alone({ seed: 1 }));
  expect(numbers(second.said)).toEqual(await alone({}));

  const job = fixture.job({ seed: 1, checkpointEvery: 2 });
  const killed = start(job, (said) => {
    if (said.all('checkpoint').length > 0) process.kill(pid!, 'SIGKILL');
  });
  await expect(killed.running.ended).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('killed'),
  });
  const resumed = start({ ...job, resumeFrom: killed.said.all('checkpoint').at(-1)!.path });
  await resumed.running.ended;
  expect(resumed.running.pid).not.toBe(pid);
  expect(resumed.said.probabilities('test')).toEqual((await alone({ seed: 1 })).test);
  await trainer.end();
  expect(() => process.kill(resumed.running.pid!, 0)).toThrow('ESRCH');
});
