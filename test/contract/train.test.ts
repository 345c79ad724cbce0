import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { inspectModelFile } from '../../src-main/backbones/inspect.ts';
import type { CheckSample, JobSample, TrainJob } from '../../src-main/trainer/protocol.ts';
import { likelyWrong } from '../../src-main/transfer/confident-learning.ts';
import type { Split } from '../../src-shared/domain.ts';
import { converse, Transcript, trainerFixture } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000 });
const cotuning = [{ name: 'cotuning', approach: 'direct' }];
let fixture: Awaited<ReturnType<typeof trainerFixture>>;
beforeAll(async () => {
  fixture = await trainerFixture();
});
afterAll(() => rmSync(fixture.folder, { recursive: true }));

test('fine-tuning tells its curves, tests once and leaves a network that can be registered again', async () => {
  const job = fixture.job({
    steps: 12,
    batch: 8,
    learningRate: 0.002,
    schedule: { name: 'step', decayAt: [4] },
  });
  const said = await converse(job);
  expect([...said.curve('loss').keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(said.curve('lr').get(4)).toBeCloseTo(0.002, 12);
  expect(said.curve('lr').get(5)).toBeCloseTo(0.0002, 12);
  expect(said.all('predictions').map(({ predictions }) => predictions.split)).toEqual(['val', 'test']);
  expect(said.probabilities('test')).toHaveLength(9 * 3);
  expect(
    said
      .probabilities('test')
      .slice(0, 3)
      .reduce((a, b) => a + b),
  ).toBeCloseTo(1, 6);

  const { result } = said.one('finished');
  expect(result!.test!.accuracy).toBeGreaterThanOrEqual(0);
  const probabilities = { data: Float64Array.from(said.probabilities('test')), rows: 9, columns: 3 };
  const labels = job.samples.test.map(({ label }) => label);
  expect(result!.suspects).toBe(likelyWrong(probabilities, labels, 9).length);
  expect(result!.timing.train_s).toBeLessThanOrEqual(result!.timing.total_s);
  expect(result!.timing.data_wait_share).toBeLessThanOrEqual(1);
  expect(await inspectModelFile(result!.weightsPath)).toMatchObject({
    architecture: 'resnet18',
    padding: 'same',
    batchNormEpsilon: 1e-3,
    sourceClasses: ['red', 'grün', 'blue'],
    preprocessing: { inputSize: 32, resizeShorter: 36, mean: [0.5, 0.5, 0.5] },
  });
  // The last checkpoint stays until the service has recorded the end.
  expect(readdirSync(job.runFolder).sort()).toEqual(['checkpoint-12.safetensors', 'weights.safetensors']);
});

test('a run that stopped early but is not recorded is evaluated again from its last checkpoint, to the same numbers', async () => {
  // Nothing that is evaluated changes: the first validation is the best, and the third after it the last.
  const job = fixture.job({
    steps: 9,
    evaluateEvery: 1,
    select: 'best',
    learningRate: 1e-30,
    extras: [{ name: 'frozen-batch-norm' }, { name: 'early-stopping', patience: 2 }],
  });
  const whole = await converse(job);
  expect(whole.one('finished').result!.steps).toBe(3);
  expect(whole.all('note').map(({ text }) => text)).toContainEqual(
    expect.stringMatching(
      /^Stopped early, after 3 of 9 steps: Validation found .* at step 1 and nothing better/,
    ),
  );
  const checkpoint = whole.all('checkpoint').at(-1)!;
  expect(checkpoint.best === null || existsSync(checkpoint.best)).toBe(true);
  const again = await converse({
    ...job,
    resumeFrom: checkpoint.path,
    runFolder: join(fixture.folder, 'again'),
  });
  expect(again.one('finished').result!.test).toEqual(whole.one('finished').result!.test);
  expect(again.probabilities('test')).toEqual(whole.probabilities('test'));
  expect(again.one('finished').result!.steps).toBe(3);
  expect(again.curve('loss').size).toBe(0);
});

test('a checkpoint whose best weights are gone is refused with what to do', async () => {
  const job = fixture.job({ evaluateEvery: 2, select: 'best' });
  const { path, best } = (await converse(job)).all('checkpoint').at(-1)!;
  rmSync(best!);
  await expect(converse({ ...job, resumeFrom: path })).rejects.toThrow(/needs the weights .* which are gone/);
});

test('every checkpoint finds the best weights that it names, however many were written in between', async () => {
  const job = fixture.job({ steps: 8, evaluateEvery: 1, checkpointEvery: 3, select: 'best' });
  const said = await converse(job);
  for (const { best } of said.all('checkpoint')) expect(best === null || existsSync(best)).toBe(true);
  const named = new Set(said.all('checkpoint').map(({ best }) => best && basename(best)));
  const kept = readdirSync(job.runFolder).filter((name) => name.startsWith('best-'));
  expect(kept.filter((name) => !named.has(name))).toEqual([]);
});

test('the same seed gives the same numbers, another seed others', async () => {
  const [a, b, c] = [
    await converse(fixture.job()),
    await converse(fixture.job()),
    await converse(fixture.job({ seed: 4 })),
  ];
  expect(b.curve('loss')).toEqual(a.curve('loss'));
  expect(b.probabilities('test')).toEqual(a.probabilities('test'));
  expect(c.curve('loss')).not.toEqual(a.curve('loss'));
});

/** Stops a job right after `step` and returns the same job, to go on from its last checkpoint. */
async function interrupted(job: TrainJob, step: number): Promise<TrainJob> {
  const said = new Transcript();
  const running = converse(
    job,
    (message, abort) => {
      if (message.type === 'metrics' && message.step === step && 'loss' in message.values)
        abort.abort(new Error('stopped here'));
    },
    said,
  );
  await expect(running).rejects.toThrow('stopped here');
  expect(said.all('finished')).toEqual([]);
  const last = said.all('checkpoint').at(-1)!;
  expect(last.step).toBe(step);
  return { ...job, resumeFrom: last.path };
}

const drawn = {
  method: [...cotuning, { name: 'stochnorm', probability: 0.5 }],
  extras: [
    { name: 'moving-average', decay: 0.9 },
    { name: 'early-stopping', patience: 4 },
  ],
};
/** Everything that is drawn about what is seen. */
const seen = {
  method: cotuning,
  extras: [{ name: 'mixup' }, { name: 'cutmix' }],
  augment: [
    { name: 'color-jitter' },
    { name: 'trivial-augment' },
    { name: 'random-erasing', value: 'noise' },
  ],
  sampling: { name: 'class-balanced' },
  evaluation: { name: 'ten-crop' },
};
test.each([
  ['last', seen],
  ['best', drawn],
] as const)(
  'a co-tuning run that is interrupted twice ends with the numbers of one that is not (select: %s)',
  async (select, parts) => {
    const changes = structuredClone({ ...parts, steps: 8, evaluateEvery: 2, checkpointEvery: 3, select });
    const whole = await converse(fixture.job(changes));
    const again = await interrupted(await interrupted(fixture.job(changes), 3), 5);
    const rest = await converse(again);
    expect([...rest.curve('loss').keys()]).toEqual([6, 7, 8]);
    for (const [step, loss] of rest.curve('loss')) expect(loss).toBe(whole.curve('loss').get(step));
    expect(rest.probabilities('val')).toEqual(whole.probabilities('val'));
    expect(rest.probabilities('test')).toEqual(whole.probabilities('test'));
    expect(rest.one('finished').result!.test).toEqual(whole.one('finished').result!.test);
  },
);

test('the weights of the best validation are the ones that are tested', async () => {
  // A rate this high is good for the first steps only, if at all: the best validation is rarely the last.
  const said = await converse(
    fixture.job({
      steps: 8,
      evaluateEvery: 1,
      select: 'best',
      learningRate: 0.05,
      schedule: { name: 'step', decayAt: [] },
    }),
  );
  const curve = [...said.curve('val_accuracy').values()];
  expect(curve).toHaveLength(8);
  expect(said.one('finished').result!.val!.accuracy).toBe(Math.max(...curve));
});

test('a checkpoint of another run is refused', async () => {
  const resumable = await interrupted(fixture.job({ steps: 4, checkpointEvery: 2 }), 2);
  const other = { ...resumable, config: { ...resumable.config, learningRate: 0.5 } };
  await expect(converse(other)).rejects.toMatchObject({ code: 'conflict' });
});

test('a stop during the last evaluation costs no step', async () => {
  const job = fixture.job({ steps: 2 });
  const said = new Transcript();
  const running = converse(
    job,
    (message, abort) => {
      if (message.type === 'progress' && message.phase === 'evaluate') abort.abort(new Error('stopped here'));
    },
    said,
  );
  await expect(running).rejects.toThrow('stopped here');
  const rest = await converse({ ...job, resumeFrom: said.one('checkpoint').path });
  expect(rest.curve('loss').size).toBe(0);
  expect(rest.one('finished').result!.steps).toBe(2);
});

test('co-tuning learns a relationship, and runs from a given one to the same numbers', async () => {
  const learned = await converse(fixture.job({ method: cotuning }));
  const { relationship } = learned.one('relationship');
  expect(relationship).toMatchObject({ approach: 'direct', targets: 3, sourceTemperature: 1 });
  expect(relationship.matrix).toHaveLength(3 * 5);
  for (let row = 0; row < 3; row++)
    expect(relationship.matrix.slice(row * 5, row * 5 + 5).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
  const given = await converse(fixture.job({ method: cotuning }, { relationship }));
  expect(given.all('relationship')).toEqual([]);
  expect(given.curve('source_loss')).toEqual(learned.curve('source_loss'));
  const first = learned.all('metrics')[0].values;
  expect(first.loss).toBeCloseTo(first.target_loss + 2.3 * first.source_loss, 4);
});

test('source predictions are made once per image and network', async () => {
  const names = ['a', 'b', 'c'];
  const relationshipJob = {
    kind: 'relationship',
    task: 'image-classification',
    approach: 'direct',
    engine: 'cpu',
    targetClasses: 3,
    classNames: names,
    model: fixture.model,
    cacheFolder: join(fixture.folder, 'another-cache'),
  } as const;
  const { train, val, test } = fixture.samples;
  const half = { train: train.filter((_, index) => index % 2 === 0), val, test };
  const first = await converse({ ...relationshipJob, samples: half });
  const kept = () =>
    readdirSync(join(relationshipJob.cacheFolder, 'source-logits'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  expect(kept()).toHaveLength(half.train.length + val.length);
  const both = await converse({ ...relationshipJob, samples: fixture.samples });
  expect(kept()).toHaveLength(train.length + val.length);
  const gone = fixture.samples.train.map((sample) => ({ ...sample, path: '/nowhere' }));
  const cached = await converse({ ...relationshipJob, samples: { ...fixture.samples, train: gone } });
  expect(cached.one('relationship').relationship.matrix).toEqual(
    both.one('relationship').relationship.matrix,
  );
  expect(first.one('relationship').relationship.matrix).not.toEqual(
    both.one('relationship').relationship.matrix,
  );
  // What a crash or a full disk spoiled is predicted again.
  truncateSync(kept()[0], 0);
  const mended = await converse({ ...relationshipJob, samples: fixture.samples });
  expect(mended.one('relationship').relationship.matrix).toEqual(
    both.one('relationship').relationship.matrix,
  );
  expect(statSync(kept()[0]).size).toBeGreaterThan(0);
});

test('a temperature is fitted on source-labelled images, and what is learned with it says so', async () => {
  const { train } = fixture.samples;
  const job = {
    kind: 'calibration',
    engine: 'cpu',
    model: fixture.model,
    samples: train.map((sample, index) => ({ ...sample, label: index % 5 })),
    cacheFolder: join(fixture.folder, 'calibration-cache'),
  } as const;
  const { temperature, nllBefore, nllAfter } = (await converse(job)).one('calibration').fit;
  expect(nllAfter).toBeLessThan(nllBefore);
  const calibration = {
    ...{ temperature, nllBefore, nllAfter },
    ...{ images: train.length, classes: 5, data: '/calibration', hash: 'c', notes: [] },
  };
  const model = { ...fixture.model, calibration };
  const learned = await converse(fixture.job({ method: cotuning, steps: 1 }, { model }));
  expect(learned.one('relationship').relationship).toMatchObject({
    sourceTemperature: temperature,
    temperatureSource: 'fitted',
    calibration,
  });
});

/** A sample whose image is cut off. */
function damaged(sample: JobSample): JobSample {
  const path = join(fixture.folder, `damaged ${basename(sample.path)}`);
  writeFileSync(path, readFileSync(sample.path).subarray(0, 2000));
  return { ...sample, path, hash: createHash('sha256').update(readFileSync(path)).digest('hex') };
}

test('a run goes on without images that turn out damaged: noted, not counted, and the same when it is resumed', async () => {
  const { train, val, test } = fixture.samples;
  const samples = {
    train: [damaged(train[0]), ...train.slice(1)],
    val,
    test: [damaged(test[0]), ...test.slice(1)],
  };
  const changes = { method: cotuning, steps: 8, checkpointEvery: 3 };
  const whole = await converse(fixture.job(changes, { samples }));
  const notes = whole.all('note').map(({ text }) => text);
  expect(notes.filter((text) => text.includes('cannot be used'))).toEqual(
    [samples.train[0], samples.test[0]].map(({ path }) => expect.stringContaining(path)),
  );
  expect(whole.one('relationship').without).toEqual([train[0].id]);
  expect(whole.probabilities('test')).toHaveLength((test.length - 1) * 3);
  const rest = await converse(await interrupted(fixture.job(changes, { samples }), 5));
  for (const [step, loss] of rest.curve('loss')) expect(loss).toBe(whole.curve('loss').get(step));
  expect(rest.probabilities('test')).toEqual(whole.probabilities('test'));
});

test('a relationship, a calibration and a ranking are made without a damaged image, of which they tell', async () => {
  const [first, second, ...others] = fixture.samples.train;
  const broken = damaged(first);
  // Of a damaged image there may be a copy that is whole.
  const twins = [{ ...second, id: -1, path: '/nowhere' }, second];
  const common = {
    engine: 'cpu',
    targetClasses: 3,
    model: fixture.model,
    cacheFolder: join(fixture.folder, 'damaged-cache'),
  } as const;
  const learn = async (train: JobSample[]) => {
    const samples = { ...fixture.samples, train };
    const names = ['a', 'b', 'c'];
    return (
      await converse({
        ...common,
        kind: 'relationship',
        task: 'image-classification',
        approach: 'direct',
        classNames: names,
        samples,
      })
    ).one('relationship');
  };
  const learned = await learn([broken, ...twins, ...others]);
  expect(learned.without).toEqual([first.id, -1]);
  expect(learned.relationship.notes).toEqual([
    '2 of 22 images are left out, which can no longer be used.',
    expect.stringContaining('/nowhere'),
    expect.stringContaining(broken.path),
  ]);
  expect(await learn([second, ...others])).toMatchObject({
    without: [],
    relationship: { notes: [], matrix: learned.relationship.matrix },
  });

  const samples = [broken, second, ...others];
  const fit = await converse({ ...common, kind: 'calibration', samples });
  expect(fit.one('calibration')).toMatchObject({
    without: [first.id],
    fit: { notes: ['1 of 15 images is left out, which can no longer be used.', expect.anything()] },
  });
  const rank = async (samples: JobSample[]) =>
    (
      await converse({
        ...common,
        task: 'image-classification',
        classNames: ['a', 'b', 'c'],
        kind: 'rank',
        samples,
      })
    ).one('ranking');
  const ranked = await rank(samples);
  expect(ranked.notes).toHaveLength(2);
  // Nothing was kept as the ranking of them all.
  expect(await rank(samples)).toEqual(ranked);
  expect((await rank([second, ...others])).scores).toEqual(ranked.scores);
});

test('a loss that turns NaN ends the run with its step and the likely cause', async () => {
  const job = fixture.job({ learningRate: 1e20, steps: 20 });
  await expect(converse(job)).rejects.toMatchObject({
    code: 'diverged',
    message: expect.stringMatching(/at step \d+.*learning rate \d+ is likely too high/),
    hint: 'Try --lr 10000000000000000000.',
  });
  expect(existsSync(join(job.runFolder, 'weights.safetensors'))).toBe(false);
});

test('without validation images the last weights are tested, and the run says so', async () => {
  const said = await converse(
    fixture.job({ steps: 2, select: 'best', evaluateEvery: 1 }, { samples: { ...fixture.samples, val: [] } }),
  );
  expect(said.one('note').text).toContain('no validation images');
  expect(said.one('finished').result!.val).toBeNull();
});

test('a linear probe trains no step, and LP-FT goes on from its predictions', async () => {
  const job = fixture.job({ method: [{ name: 'linear-probe' }], steps: 0 });
  const probe = await converse(job);
  expect(probe.curve('loss').size).toBe(0);
  const { result } = probe.one('finished');
  expect(result).toMatchObject({ steps: 0, timing: { train_s: 0, images_per_s: 0 } });
  // What is kept and tested is as good on validation images as what was chosen from their cached features.
  const accuracy = (100 * result!.val!.accuracy).toFixed(1);
  expect(probe.all('note').map(({ text }) => text)).toContainEqual(
    expect.stringContaining(`validation accuracy, ${accuracy} %`),
  );
  expect(readdirSync(job.runFolder)).toEqual(['weights.safetensors']);

  // A step of next to nothing leaves the start, batch norm in evaluation mode included: equal to float32's rounding.
  const start = { method: [{ name: 'lp-ft' }], steps: 1, learningRate: 1e-12 };
  const tuned = await converse(fixture.job(start));
  for (const [at, value] of probe.probabilities('test').entries())
    expect(tuned.probabilities('test')[at]).toBeCloseTo(value, 5);
});

test('a linear probe looks at the labels of all its images, as a check by its network does, and no image passes for it', async () => {
  const { samples, model } = fixture;
  const looked = (split: Split): CheckSample[] =>
    samples[split].map((sample, i) => ({
      ...sample,
      // One wrong label of each split.
      label: i === 0 ? 1 : sample.label,
      check: { perceptualHash: `${sample.id}`.padStart(16, '0'), alike: null, trained: split === 'train' },
    }));
  const used = { train: looked('train'), val: looked('val'), test: looked('test') };
  const folder = (name: string) => join(fixture.folder, name);
  const [cacheFolder, fresh] = [folder('cache-of-probe'), folder('cache-of-check')];
  const probe = fixture.job({ method: [{ name: 'linear-probe' }], steps: 0 }, { samples: used, cacheFolder });
  const said = await converse(probe);
  const [{ result: found }] = said.all('checked');
  expect(said.one('finished').result).toMatchObject({
    suspects: found.wrongLabels.length,
    suspectsAmong: 'all',
  });
  // In an order of its own, with what is kept nowhere.
  const check = {
    ...({ kind: 'check', engine: 'cpu', model, classNames: probe.classNames } as const),
    samples: [...used.test, ...used.train, ...used.val],
  };
  const [{ result: again }] = (await converse({ ...check, cacheFolder: fresh })).all('checked');
  expect(again).toEqual(found);
  expect(found.wrongLabels.map(({ sample }) => sample)).toContain(used.train[0].id);
  const trained = new Map(used.train.map(({ id, label }) => [id, label]));
  for (const { suggested, nearestSuggested } of found.wrongLabels)
    expect(trained.get(nearestSuggested!)).toBe(suggested);

  // Any other run on them finds the same, with features at hand or without: so few images pass in no time.
  const tuned = await converse(fixture.job({ steps: 1 }, { samples: used, cacheFolder }));
  expect(tuned.all('checked')).toEqual(said.all('checked'));
  const elsewhere = await converse(
    fixture.job({ steps: 1 }, { samples: used, cacheFolder: folder('cache-of-none') }),
  );
  expect(elsewhere.all('checked')).toEqual(said.all('checked'));
  expect(elsewhere.one('finished').result).toMatchObject({ suspectsAmong: 'all' });
});
