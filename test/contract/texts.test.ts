/** Runs of texts in a trainer, with a BERT of a few numbers. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { toTorch } from '../../src-main/backbones/layouts.ts';
import { traitsOf } from '../../src-main/backbones/traits.ts';
import { textStepProgram } from '../../src-main/bench/text-step-program.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { openSafetensors } from '../../src-main/formats/weights/safetensors.ts';
import { architectureOf, bertMetadata } from '../../src-main/text/bert-file.ts';
import { bertNetwork } from '../../src-main/text/open-bert.ts';
import { untrainedBert } from '../../src-main/text/pretraining.ts';
import { specialPieces } from '../../src-main/text/tokenizer.ts';
import type {
  JobSample,
  PredictTextsJob,
  StepWork,
  TextModel,
  TrainJob,
} from '../../src-main/trainer/protocol.ts';
import { catalog } from '../../src-main/transfer/catalog.ts';
import { sourceHeadTensors } from '../../src-main/transfer/network.ts';
import type { RunBench } from '../../src-shared/bench.ts';
import type { Part, RunConfig, TextContent } from '../../src-shared/domain.ts';
import { whyNot } from '../../src-shared/parts.ts';
import { usualConfig } from '../usual-config.ts';
import { converse, Transcript } from './trainer-fixture.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
const folder = mkdtempSync(join(tmpdir(), 'cotune-texts-'));
afterAll(() => rmSync(folder, { recursive: true }));

const vocabulary = [...specialPieces, ...'ada met bob in rome . the cat sat ##s 🦉 مرحبا'.split(' ')];
const input = {
  ...{ vocabulary: vocabulary.length, hidden: 8, layers: 2, heads: 2, intermediate: 16, positions: 64 },
  ...{ segments: 2, epsilon: 1e-12, dropout: 0.1 },
  ...{ lowercase: true, stripAccents: true, splitIdeographs: true, longestWord: 100 },
};

const model: TextModel = (() => {
  const path = join(folder, 'bert.safetensors');
  const network = bertNetwork(input);
  const weights = untrainedBert(network, 1);
  const tensors = [...network.backbone.tensors, ...sourceHeadTensors(network)];
  writeSafetensors(
    path,
    tensors.map((tensor) => [
      tensor.name,
      { shape: tensor.shape, values: toTorch(tensor, weights[tensor.name] as Float32Array) },
    ]),
    bertMetadata(input, vocabulary, 'a test'),
  );
  return {
    path,
    hash: createHash('sha256').update(readFileSync(path)).digest('hex'),
    architecture: architectureOf(input),
    ...{ padding: 'symmetric', batchNormEpsilon: 1e-5, temperature: null },
    ...{ sourceClasses: vocabulary.length, text: input, longest: 32 },
  };
})();

let nextId = 1;
const sample = (text: TextContent, label = -1): JobSample => {
  const hash = createHash('sha256')
    .update(JSON.stringify([text, label]))
    .digest('hex');
  return { id: nextId++, path: `texts:${nextId}`, hash, label, text };
};
/** `Ada/B-PER met/O`. */
const tagged = (line: string): JobSample => {
  const pairs = line.split(' ').map((word) => word.split('/'));
  const words = pairs.map(([word]) => word);
  return sample({ text: words.join(' '), words, tags: pairs.map(([, tag]) => tag) });
};
const classified = (text: string, label: number) => sample({ text, words: null, tags: null }, label);

const sentences = {
  train: [
    ...Array.from({ length: 6 }, () => tagged('Ada/B-PER met/O Bob/B-PER in/O Rome/B-LOC ./O')),
    ...Array.from({ length: 5 }, () => tagged('the/O cat/O sat/O in/O Rome/B-LOC')),
    tagged('🦉/O مرحبا/O \u200b/O \u0007/O'),
    // Of 90 words that go into no part of 32 pieces.
    tagged(Array.from({ length: 30 }, () => 'Ada/B-PER Bob/I-PER ./O').join(' ')),
  ],
  val: [tagged('Bob/B-PER sat/O ./O')],
  test: [tagged('Ada/B-PER sat/O in/O Rome/B-LOC'), tagged('the/O cat/O')],
};
const texts = {
  train: [
    ...Array.from({ length: 12 }, (_, i) => classified(i % 2 ? 'ada met bob' : 'the cat sat . . .', i % 2)),
    classified(Array.from({ length: 31 }, () => 'bob').join(' '), 1),
  ],
  val: [classified('ada', 1), classified('', 0)],
  test: [classified('the cat', 0), classified(Array.from({ length: 10_000 }, () => 'bob').join(' '), 1)],
};

let runs = 0;
function jobOf(
  task: 'token-classification' | 'text-classification',
  changes: Partial<RunConfig>,
  more: Partial<TrainJob> = {},
): TrainJob {
  const { resize: _, crop: __, augment: ___, sampling: ____, evaluation: _____, ...usual } = usualConfig;
  const runFolder = join(folder, `run-${++runs}`);
  const cacheFolder = join(folder, 'cache');
  mkdirSync(cacheFolder, { recursive: true });
  const classNames = task === 'token-classification' ? ['LOC', 'PER'] : ['cat', 'people'];
  return {
    ...{ kind: 'train', task, run: runs, model, runFolder, cacheFolder, classNames },
    targetClasses: classNames.length,
    samples: task === 'token-classification' ? sentences : texts,
    config: {
      ...usual,
      ...{ dataset: 'texts', model: 'bert', preset: 'bert', seed: 3, steps: 4, batch: 4, size: 32 },
      ...{ learningRate: 0.01, headLearningRateMultiplier: 1, engine: 'cpu', evaluateEvery: 0 },
      ...{ checkpointEvery: 0, optimizer: { name: 'adamw' }, schedule: { name: 'linear', warmup: 1 } },
      ...changes,
    },
    ...{ relationship: null, teacher: null, resumeFrom: null },
    ...more,
  };
}

const cotuning = [{ name: 'cotuning', tradeOff: 0.7, approach: 'direct' }];
const tagsOf = (said: Transcript, split: string) =>
  said.all('tagged').flatMap(({ predictions }) => (predictions.split === split ? predictions.tags : []));

test('a run of tagged texts tags every word, relates types to pieces, and is gone on with to the bit', async () => {
  const extras = [{ name: 'gradient-clipping' }];
  const job = jobOf('token-classification', {
    method: cotuning,
    extras,
    steps: 6,
    evaluateEvery: 3,
    select: 'best',
  });
  const whole = await converse(job);
  const { result } = whole.one('finished');
  expect(result!.test!.entities!.f1).toBeGreaterThanOrEqual(0);
  expect(whole.curve('val_entity_f1').size).toBe(2);
  expect([...whole.curve('source_loss').values()].every(Number.isFinite)).toBe(true);
  expect(tagsOf(whole, 'test').map((tags) => tags.length)).toEqual([4, 2]);
  const { relationship } = whole.one('relationship');
  expect(relationship.matrix).toHaveLength(2 * vocabulary.length);
  const sums = [0, 1].map((type) =>
    relationship.matrix
      .subarray(type * vocabulary.length, (type + 1) * vocabulary.length)
      .reduce((a, b) => a + b),
  );
  for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  expect(whole.all('note').map(({ text }) => text)).toContainEqual(
    '1 training sentence has more than 32 pieces: they are divided between words.',
  );

  const said = new Transcript();
  const stopped = converse(
    { ...job, runFolder: join(folder, 'stopped'), relationship },
    (message, abort) => {
      if (message.type === 'metrics' && message.step === 4 && 'loss' in message.values)
        abort.abort(new Error('stopped here'));
    },
    said,
  );
  await expect(stopped).rejects.toThrow('stopped here');
  const { path } = said.all('checkpoint').at(-1)!;
  const again = await converse({ ...job, runFolder: join(folder, 'again'), relationship, resumeFrom: path });
  expect(again.curve('loss').get(6)).toBe(whole.curve('loss').get(6));
  const bytes = (transcript: Transcript) => readFileSync(transcript.one('finished').result!.weightsPath);
  expect(bytes(again).equals(bytes(whole))).toBe(true);
  expect(tagsOf(again, 'test')).toEqual(tagsOf(whole, 'test'));
});

test('a run of classified texts predicts every one, however long or empty, and what somebody types', async () => {
  const said = await converse(jobOf('text-classification', { method: cotuning, steps: 8 }));
  const { result } = said.one('finished');
  expect(said.probabilities('test')).toHaveLength(4);
  expect(said.probabilities('val')).toHaveLength(4);
  expect(result!.test!.accuracy).toBeGreaterThanOrEqual(0);
  expect(said.all('note').map(({ text }) => text)).toContainEqual(
    '1 training text has more than 32 pieces: the network sees as many from their beginning.',
  );
  const asked: PredictTextsJob = {
    kind: 'predict-texts',
    task: 'text-classification',
    engine: 'cpu',
    longest: 32,
    weightsPath: result!.weightsPath,
    cacheFolder: join(folder, 'cache'),
    texts: ['the cat', ''],
  };
  const [typed] = (await converse(asked)).one('predicted-texts').texts;
  // Alone and among others: other orders of summing.
  const known = said.probabilities('test').slice(0, 2);
  expect('probabilities' in typed && Math.abs(typed.probabilities[0] - known[0])).toBeLessThan(1e-5);
  const out = join(folder, 'exported');
  const { weightsPath } = result!;
  await converse({
    kind: 'export-texts',
    task: 'text-classification',
    weightsPath,
    format: 'safetensors',
    folder: out,
  });
  expect(existsSync(join(out, 'vocab.txt'))).toBe(true);
});

test('entities of a single type are found, also where no batch has one', async () => {
  const none = [tagged('the/O cat/O sat/O'), tagged('met/O in/O')];
  const one = jobOf(
    'token-classification',
    { method: cotuning, steps: 2, batch: 2 },
    {
      classNames: ['PER'],
      targetClasses: 1,
      samples: { train: [...none, tagged('Bob/B-PER')], val: [], test: none },
    },
  );
  const said = await converse(one);
  expect([...said.curve('loss').values()].every(Number.isFinite)).toBe(true);
  expect(said.one('finished').result!.test!.entities).toMatchObject({ recall: 0 });
});

const traits = traitsOf(model);
const methods = catalog().method.filter(
  (part) => whyNot(part, { sourceClasses: vocabulary }, traits) === null,
);

test('the methods that make sense for texts are those that are not about images', () => {
  const names = methods.map(({ name }) => name);
  expect(names.toSorted()).toEqual(
    'adapter bitfit bss cotuning ewc finetune kd l2-sp linear-probe lora lp-ft lwf scratch'.split(' '),
  );
  const delta = catalog().method.find(({ name }) => name === 'delta')!;
  expect(whyNot(delta, { sourceClasses: vocabulary }, traits)).toBe(
    'It is about images, and this network takes texts.',
  );
});

/** Tensors of a run's network that are other than the pre-trained network's, those of its head left out. */
function moved(said: Transcript): string[] {
  const [before, after] = [model.path, said.one('finished').result!.weightsPath].map((path) =>
    openSafetensors(path),
  );
  return [...after.tensors.keys()].filter((name) => {
    if (!before.tensors.has(name)) return !/^(classifier|bert\.pooler)\./.test(name);
    const [was, is] = [before.read(name), after.read(name)];
    return was.some((value, at) => value !== is[at]);
  });
}

const lastOf = (said: Transcript, curve: string) => [...said.curve(curve).values()].at(-1)!;
const noted = (said: Transcript) => said.all('note').map(({ text }) => text);
const isSmall = (name: string) => /\.bias$|LayerNorm\.weight$/.test(name);

/** Methods with what tells that they did their own, beside plain fine-tuning of the same seed. */
const ways: {
  way: string;
  method: Part[];
  extras?: Part[];
  shows: (said: Transcript, plain: Transcript) => boolean;
}[] = [
  { way: 'direct co-tuning', method: cotuning, shows: (said) => lastOf(said, 'source_loss') > 0 },
  {
    way: 'reverse co-tuning',
    method: [{ name: 'cotuning', approach: 'reverse' }],
    shows: (said) => said.one('relationship').relationship.C !== null,
  },
  {
    way: 'the shuffled control',
    method: [{ ...cotuning[0], shuffled: true }],
    shows: (said) => lastOf(said, 'source_loss') > 0,
  },
  { way: 'lwf', method: [{ name: 'lwf' }], shows: (said) => lastOf(said, 'forgetting_loss') > 0 },
  { way: 'bss', method: [{ name: 'bss' }], shows: (said) => said.curve('bss_loss').size > 0 },
  {
    way: 'l2-sp',
    method: [{ name: 'l2-sp', alpha: 10 }],
    shows: (said, plain) => lastOf(said, 'gradient_norm') !== lastOf(plain, 'gradient_norm'),
  },
  {
    way: 'ewc',
    method: [{ name: 'ewc', lambda: 1e8, images: 3 }],
    shows: (said, plain) => lastOf(said, 'gradient_norm') > lastOf(plain, 'gradient_norm'),
  },
  {
    way: 'lp-ft',
    method: [{ name: 'lp-ft' }],
    shows: (said, plain) => said.curve('loss').get(1)! < plain.curve('loss').get(1)!,
  },
  {
    way: 'adapters',
    method: [{ name: 'adapter', reduction: 2 }],
    shows: (said) => moved(said).every((name) => isSmall(name) || name.includes('.adapter1.')),
  },
  {
    way: 'bitfit',
    method: [{ name: 'bitfit' }],
    shows: (said) => moved(said).length > 0 && moved(said).every(isSmall),
  },
  {
    way: 'lora',
    method: [{ name: 'lora', rank: 2 }],
    shows: (said) => moved(said).every((name) => /self\.(query|value)\.weight$/.test(name)),
  },
  {
    way: 'layer-wise decay',
    method: [{ name: 'finetune' }],
    extras: [{ name: 'layer-decay', decay: 1e-6 }],
    shows: (said, plain) => moved(said).length < moved(plain).length,
  },
  { way: 'scratch', method: [{ name: 'scratch' }], shows: (said) => moved(said).length > 0 },
];

describe.each(['token-classification', 'text-classification'] as const)('%s', (task) => {
  // All of one length, so that few programs are compiled.
  const { train, val, test: tested } = task === 'token-classification' ? sentences : texts;
  const samples = { train: train.slice(0, 12), val, test: tested.slice(0, 1) };
  const job = (changes: Partial<RunConfig>, more: Partial<TrainJob> = {}) =>
    jobOf(task, { steps: 2, batch: 4, ...changes }, { samples, ...more });
  let plain: Transcript;
  beforeAll(async () => {
    plain = await converse(job({ method: [{ name: 'finetune' }] }));
  });

  test.each(ways)('$way trains, and does its own', async ({ method, extras = [], shows }) => {
    const said = await converse(job({ method, extras }));
    expect([...said.curve('loss').values()].every(Number.isFinite)).toBe(true);
    expect(said.one('finished').result!.test).not.toBeNull();
    expect(shows(said, plain)).toBe(true);
  });

  test('what is tested has the adapters that were trained', async () => {
    const looks = { evaluateEvery: 1, select: 'best', learningRate: 0.1 } as const;
    const said = await converse(job({ method: [{ name: 'adapter', reduction: 2 }], ...looks }));
    const { nll } = said.one('finished').result!.val!;
    const validated = [...said.curve('val_nll').values()];
    expect(Math.min(...validated.map((one) => Math.abs(one - nll)))).toBeLessThan(1e-6);

    const { kind: _, relationship: __, teacher: ___, resumeFrom: ____, ...common } = job({});
    const config = { ...common.config, method: [{ name: 'adapter', reduction: 2 }] };
    const { weightsPath } = said.one('finished').result!;
    const line = await converse({
      ...{ ...common, kind: 'average', sources: [{ run: 1, config, weightsPath }] },
      config: { ...config, method: [{ name: 'interpolation', runs: [1] }], steps: 0 },
    });
    expect(line.curve('val_nll').get(10)).toBeCloseTo(nll, 5);
  });

  test('a linear probe is solved for', async () => {
    const said = await converse(job({ method: [{ name: 'linear-probe' }], steps: 0 }));
    expect(noted(said)).toContainEqual(expect.stringMatching(/^Linear probe: C = /));
    expect(moved(said)).toEqual([]);
    // What was solved for is what is tested.
    const [, accuracy] = /validation accuracy, (.*) %/.exec(
      noted(said).find((text) => text.startsWith('Linear'))!,
    )!;
    expect((100 * said.one('finished').result!.val!.accuracy).toFixed(1)).toBe(accuracy);
  });

  test('another run teaches; averages of runs and of a run with its beginning are runs themselves', async () => {
    const path = plain.one('finished').result!.weightsPath;
    const kd = await converse(job({ method: [{ name: 'kd', teacher: 1 }] }, { teacher: path }));
    expect(lastOf(kd, 'teacher_loss')).toBeGreaterThan(0);

    const { kind: _, relationship: __, teacher: ___, resumeFrom: ____, ...common } = job({});
    const runs = [path, kd.one('finished').result!.weightsPath];
    const sources = runs.map((weightsPath, at) => ({ run: at + 1, config: common.config, weightsPath }));
    const average = (name: string, of: typeof sources) =>
      converse({
        ...{ ...common, kind: 'average', sources: of },
        config: { ...common.config, method: [{ name, runs: of.map(({ run }) => run) }], steps: 0 },
      });
    const soup = await average('uniform-soup', sources);
    expect(noted(soup)).toContain('The mean of runs 1, 2.');
    const [a, b, mean] = [...runs, soup.one('finished').result!.weightsPath].map((file) =>
      openSafetensors(file).read('bert.embeddings.LayerNorm.weight'),
    );
    for (const [at, value] of mean.entries()) expect(value).toBeCloseTo((a[at] + b[at]) / 2, 6);
    const line = await average('interpolation', sources.slice(0, 1));
    expect(line.curve('alpha').size).toBe(11);
    expect(noted(line)).toContainEqual(expect.stringMatching(/^α = .* of run 1, chosen on \d validation /));
  });

  test('a network is ranked by what its source head and its features say', async () => {
    const { cacheFolder, classNames } = job({});
    const said = await converse({
      ...{ kind: 'rank', task, engine: 'cpu', model, classNames, cacheFolder },
      samples: samples.train,
    });
    const scores = said.one('ranking').scores.map(({ name }) => name);
    expect(scores).toEqual(expect.arrayContaining(['leep', 'nce', 'h-score']));
  });

  test('a short run tells what a run takes, length by length', async () => {
    const {
      kind: _,
      run: __,
      relationship: ___,
      teacher: ____,
      runFolder: _____,
      resumeFrom: ______,
      ...run
    } = jobOf(task, { method: cotuning, steps: 30 });
    const { result } = (await converse({ kind: 'bench', work: { what: 'run', run } })).one('bench');
    expect(result).toMatchObject({ bench: 'run', decode_s: 0 });
    for (const key of ['step_s', 'evaluate_s', 'prepare_s'] as const)
      expect([key, (result as RunBench)[key]]).toEqual([key, expect.any(Number)]);
    expect((result as RunBench).step_s).toBeGreaterThan(0);
  });
});

test.each(['train', 'infer'] as const)(
  '%s steps of a network of texts are there to be measured',
  async (what) => {
    const engine = await openEngine('cpu');
    const measured = { what, model: 'bert', network: model, batch: 20, size: 32, steps: 1 };
    const work: StepWork = { ...measured, engine: 'cpu', profile: false, frozen: 0 };
    const step = textStepProgram(work, model);
    expect([step.architecture, step.passes]).toEqual(['bert-2x8', what === 'infer' ? 2 : 1]);
    const executable = await engine.compile(step.program, { constants: step.constants() });
    await executable.load(step.state());
    const { loss, logits } = await executable.run(step.batch);
    expect((loss ?? logits).every(Number.isFinite)).toBe(true);
    expect(step.batch.pieces).toHaveLength((20 / step.passes) * 32);
    await engine.dispose();
  },
);
