import { fork } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { forkTrainer } from '../../src-main/service/fork-trainer.ts';
import { startAhead } from '../../src-main/service/start-ahead.ts';
import { startJob } from '../../src-main/service/trainer-job.ts';
import type { Job } from '../../src-main/trainer/protocol.ts';
import { npyFile, npyHeader } from '../npy-file.ts';
import { processExists } from './process-exists.ts';
import { converse, Transcript, trainerFixture } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000 });
let fixture: Awaited<ReturnType<typeof trainerFixture>>;
beforeAll(async () => {
  fixture = await trainerFixture();
});
afterAll(() => rmSync(fixture.folder, { recursive: true }));

/** Runs a job in a trainer process, as the service does. */
function start(job: Job, onMessage: (said: Transcript) => void = () => {}) {
  const said = new Transcript();
  const running = startJob(forkTrainer(), job, (message) => {
    said.messages.push(message);
    onMessage(said);
  });
  return { running, said };
}

/** Two frozen stages of an unchanging look at the pictures, which run once for each of them. */
const keptPrefix = {
  extras: [{ name: 'frozen-blocks', blocks: 4 }],
  crop: { name: 'fixed-crop' },
};
test.each([
  ['', {}],
  [' whose first stages run once', keptPrefix],
])(
  'a killed trainer’s run%s goes on from its checkpoint to the numbers of an undisturbed one',
  async (_, parts) => {
    const changes = { steps: 6, checkpointEvery: 2, ...parts };
    const whole = await converse(fixture.job(changes));
    // Stages that run before training tell of all pictures at once, their reading of one by one.
    const prepared = whole.all('progress').filter(({ phase }) => phase === 'data');
    expect(prepared.map(({ done }) => done).join() === '15').toBe(parts === keptPrefix);
    const job = fixture.job(changes);
    const killed = start(job, (said) => {
      if (said.all('checkpoint').length > 0) process.kill(killed.running.pid!, 'SIGKILL');
    });
    await expect(killed.running.ended).rejects.toMatchObject({ code: 'failed' });
    const resumed = start({ ...job, resumeFrom: killed.said.all('checkpoint').at(-1)!.path });
    await resumed.running.ended;
    expect(resumed.said.curve('loss').size).toBeLessThan(6);
    expect(resumed.said.probabilities('test')).toEqual(whole.probabilities('test'));
  },
);

test('a stop ends the run after its step, with a checkpoint', async () => {
  const { running, said } = start(fixture.job({ steps: 100_000 }), (sofar) => {
    if (sofar.curve('loss').size === 3) running.stop();
  });
  expect(await running.ended).toEqual({ type: 'stopped' });
  expect(said.one('checkpoint').step).toBeGreaterThanOrEqual(3);
});

test('a failure arrives as an error value with its advice', async () => {
  const { running } = start(fixture.job({}, { model: { ...fixture.model, path: '/nowhere.safetensors' } }));
  await expect(running.ended).rejects.toMatchObject({ code: 'not-found', hint: 'Check the path.' });
});

test('a trainer that could not prepare for a job is there for it, and the job tells why', async () => {
  vi.stubEnv('COTUNE_THREADS', 'several');
  const ahead = startAhead(forkTrainer(), 'relationship-arrays');
  vi.unstubAllEnvs();
  // It prepares as soon as it is there.
  await sleep(2000);
  const array = (name: string, shape: string, type: string, values: Float32Array | Int32Array) => {
    const path = join(fixture.folder, `${name}.npy`);
    writeFileSync(path, npyFile(npyHeader(type, shape), new Uint8Array(values.buffer)));
    return path;
  };
  const logits = array('logits', '(4, 2)', '<f4', Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1));
  const labels = array('labels', '(4,)', '<i4', Int32Array.of(0, 1, 0, 1));
  const running = startJob(
    ahead.spawn,
    {
      kind: 'relationship-arrays',
      approach: 'reverse',
      sourceScale: null,
      classNames: null,
      ...{ trainLogits: logits, trainLabels: labels, valLogits: logits, valLabels: labels },
    },
    () => {},
  );
  await expect(running.ended).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('“several”'),
  });
});

test('a trainer does not outlive the process that started it', async () => {
  const parent = join(fixture.folder, 'parent.mjs');
  const trainer = fileURLToPath(new URL('../../src-main/trainer/main.ts', import.meta.url));
  writeFileSync(
    parent,
    `import { fork } from 'node:child_process';
     const child = fork(${JSON.stringify(trainer)}, [], { serialization: 'advanced', stdio: 'ignore' });
     child.on('message', () => process.send(child.pid));`,
  );
  const child = fork(parent);
  const pid = await new Promise<number>((resolve) =>
    child.once('message', (message) => resolve(message as number)),
  );
  expect(processExists(pid)).toBe(true);
  child.kill('SIGKILL');
  for (let tries = 0; tries < 100 && processExists(pid); tries++) await sleep(50);
  expect(processExists(pid)).toBe(false);
});

/** Trained weights that are another network than the pre-trained one, and none that the training stepped to. */
const changing = {
  steps: 3,
  method: [{ name: 'adapter', reduction: 4 }],
  extras: [{ name: 'moving-average', decay: 0.9 }],
};

test('single images are classified as in the test, and an unreadable one says why', async () => {
  const trained = await converse(fixture.job(changing));
  const { weightsPath } = trained.one('finished').result!;
  const [first] = fixture.samples.test;
  const broken = join(fixture.folder, 'broken.jpg');
  writeFileSync(broken, 'no image');
  const paths = [first.path, broken, '/nowhere.png'];
  const { cacheFolder } = fixture;
  const said = await converse({ kind: 'predict', engine: 'cpu', weightsPath, size: 32, paths, cacheFolder });
  const [good, bad, absent] = said.all('predicted');
  for (const [k, p] of trained.probabilities('test').slice(0, 3).entries())
    expect(good.probabilities![k]).toBeCloseTo(p, 5);
  expect(bad).toMatchObject({ path: broken, probabilities: null, error: { code: 'bad-input' } });
  expect(absent).toMatchObject({ path: '/nowhere.png', error: { code: 'not-found' } });
});

test('an exported ONNX model takes plain pixels and gives the run’s own probabilities', async () => {
  const trained = await converse(fixture.job(changing));
  const { weightsPath } = trained.one('finished').result!;
  const path = join(fixture.folder, 'model.onnx');
  const readmePath = join(fixture.folder, 'model.README.md');
  await converse({ kind: 'export', weightsPath, format: 'onnx', size: 32, path, readmePath });
  // Two opset imports name ONNX Runtime's own operators; no node may use one, or other runtimes could not run it.
  expect(readFileSync(path, 'latin1').split('com.microsoft')).toHaveLength(3);
  const session = await InferenceSession.create(path);
  expect(session.inputNames).toEqual(['images']);

  // The fixture's pictures are 40 × 36: a resize to 36, then the center.
  const pixels = await sharp(fixture.samples.test[0].path)
    .removeAlpha()
    .extract({ left: 4, top: 2, width: 32, height: 32 })
    .raw()
    .toBuffer();
  const results = await session.run({
    images: new Tensor('float32', Float32Array.from([...pixels, ...pixels]), [2, 32, 32, 3]),
  });
  expect(results['probabilities:out'].dims).toEqual([2, 3]);
  const probabilities = [...(results['probabilities:out'].data as Float32Array)];
  for (const [k, p] of trained.probabilities('test').slice(0, 3).entries())
    for (const image of [0, 3]) expect(probabilities[image + k]).toBeCloseTo(p, 4);
});

test('an exported ONNX model says what it takes, and its test vectors tell a changed file', async () => {
  const trained = await converse(fixture.job({ steps: 3 }));
  const { weightsPath } = trained.one('finished').result!;
  const path = join(fixture.folder, 'vectors.onnx');
  const readmePath = join(fixture.folder, 'vectors.README.md');
  await converse({ kind: 'export', weightsPath, format: 'onnx', size: 32, path, readmePath });
  const readme = readFileSync(readmePath, 'utf8');
  expect(readme).toContain('float32 [batch, 32, 32, 3]');
  for (const picture of ['gray', 'red', 'rows', 'squares', 'texture'])
    expect(readme).toContain(`| ${picture} |`);
  const verify = async (file: string) =>
    (await converse({ kind: 'verify', path: file })).one('verified').check;
  const check = await verify(path);
  expect(check).toMatchObject({ size: 32, classes: 3 });
  expect(check.vectors.map(({ holds }) => holds)).toEqual([true, true, true, true, true]);

  // One promised probability becomes 8 or 9: certainty, or a share of more than a tenth, with another first digit.
  const bytes = readFileSync(path);
  const start = bytes.indexOf('"probabilities":[');
  const [found, before] = /([[,])(0\.[1-9]|1[,\]])/.exec(bytes.toString('latin1', start))!;
  bytes[bytes.indexOf(found, start) + before.length] = '9'.charCodeAt(0);
  const changed = join(fixture.folder, 'changed.onnx');
  writeFileSync(changed, bytes);
  const { vectors } = await verify(changed);
  expect(vectors.filter(({ holds }) => !holds)).toHaveLength(1);
});

test('where a trained network looks is told of images one by one, and in the mean', async () => {
  const trained = await converse(fixture.job(changing));
  const { weightsPath: network } = trained.one('finished').result!;
  const { cacheFolder, samples } = fixture;
  const overlay = join(fixture.folder, 'overlay.png');
  const images = [{ ...samples.test[0], overlay }, { path: '/nowhere.png' }, samples.test[1]];
  const job = { kind: 'explain', engine: 'cpu', network, size: 32, label: null, cacheFolder } as const;
  const said = await converse({ ...job, images, mean: false });
  const [first, absent, second] = said.all('explained');
  expect(absent).toMatchObject({ map: null, error: { code: 'not-found' } });
  for (const [k, p] of trained.probabilities('test').slice(0, 3).entries())
    expect(first.map!.probabilities[k]).toBeCloseTo(p, 5);
  // The fixture's pictures are 40 × 36: a resize to 36, then the center.
  expect(first.map!.region).toEqual([4 / 40, 2 / 36, 32 / 40, 32 / 36]);
  expect(first.map).toMatchObject({ how: 'cam', rows: 1, columns: 1 });
  expect(await sharp(overlay).metadata()).toMatchObject({ width: 40, height: 36 });

  const mean = (await converse({ ...job, images, mean: true, label: 2 })).one('mean-map');
  const [one, , other] = (await converse({ ...job, images, mean: false, label: 2 })).all('explained');
  expect(mean.images).toBe(2);
  expect(mean.map!.values[0]).toBeCloseTo((one.map!.values[0] + other.map!.values[0]) / 2, 10);
  expect(second.map!.label).toBe(second.map!.probabilities.indexOf(Math.max(...second.map!.probabilities)));
});
