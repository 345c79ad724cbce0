import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Engine } from '../../src-main/engine/engine.ts';
import { runtimeFailure } from '../../src-main/engine/run/failure.ts';
import { converse, Transcript, trainerFixture } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000 });

/** What the runtime says at the sixth step; nothing where the device works. */
let fault: string | undefined;
vi.mock('../../src-main/engine/open.ts', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src-main/engine/open.ts')>();
  return {
    ...original,
    openEngine: async (...given: Parameters<typeof original.openEngine>) =>
      failing(await original.openEngine(...given)),
  };
});

/** An engine whose device is gone from the sixth step of a training on: neither a step nor a read works then. */
function failing(engine: Engine): Engine {
  return {
    ...engine,
    async compile(program, options) {
      const executable = await engine.compile(program, options);
      let steps = 0;
      const check = () => {
        if (fault && steps >= 6) throw runtimeFailure(new Error(fault), 'A step failed');
      };
      return {
        ...executable,
        async run(batch) {
          steps++;
          check();
          return executable.run(batch);
        },
        async read(names) {
          check();
          return executable.read(names);
        },
      };
    },
  };
}

let fixture: Awaited<ReturnType<typeof trainerFixture>>;
beforeAll(async () => {
  fixture = await trainerFixture();
});
afterAll(() => rmSync(fixture.folder, { recursive: true }));

test.each([
  ['Failed to download data from buffer. wgpu::MapAsyncStatus value: 3', 'graphics device was lost'],
  ['[Invalid Buffer (unlabeled)] is invalid due to a previous error.', 'Memory ran out'],
])(
  'a device that says «%s» ends the run with the reason; it goes on from the last checkpoint to the same numbers',
  async (message, reason) => {
    const changes = { steps: 8, checkpointEvery: 2 };
    fault = undefined;
    const whole = await converse(fixture.job(changes));
    const job = fixture.job(changes);
    const said = new Transcript();
    fault = message;
    await expect(converse(job, () => {}, said)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(reason),
    });
    const last = said.all('checkpoint').at(-1)!;
    expect(last.step).toBe(4);
    fault = undefined;
    const resumed = await converse({ ...job, resumeFrom: last.path });
    expect([...resumed.curve('loss').keys()]).toEqual([5, 6, 7, 8]);
    expect(resumed.probabilities('test')).toEqual(whole.probabilities('test'));
  },
);
