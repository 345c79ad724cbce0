import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { bert } from '../../src-main/backbones/networks/bert.ts';
import { randomOf } from '../../src-main/data/random.ts';
import type { Arrays, Engine } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { readSafetensorsHeader, readTensors } from '../../src-main/formats/safetensors.ts';
import { bertOf } from '../../src-main/text/bert-config.ts';
import { learnPieces } from '../../src-main/text/learn-pieces.ts';
import { batchAt, bucketsOf } from '../../src-main/text/length-buckets.ts';
import { maskPieces } from '../../src-main/text/masking.ts';
import {
  openPretraining,
  type PretrainingPlan,
  rateAt,
  untrainedBert,
} from '../../src-main/text/pretraining.ts';
import { readCheckpoint, writeCheckpoint } from '../../src-main/text/pretraining-checkpoint.ts';
import { openTokenizer } from '../../src-main/text/tokenizer.ts';
import { writeBert } from '../../src-main/text/write-bert.ts';

const words = 'the cat sat on a mat and the dog ran after cats in cities of old'.split(' ');
const texts = Array.from({ length: 24 }, (_, at) =>
  Array.from({ length: 2 + ((7 * at) % 23) }, (_, word) => words[(3 * at + 5 * word) % words.length]).join(
    ' ',
  ),
);
const counts = new Map(words.map((word, at) => [word, at + 1]));
const settings = { lowercase: false, stripAccents: false, splitIdeographs: true, longestWord: 100 };
const tokenizer = openTokenizer({ ...settings, vocabulary: learnPieces(counts, 60) });

describe('learned pieces', () => {
  it('are special ones, characters, then pairs by how often they are met', () => {
    const pieces = learnPieces(
      new Map([
        ['aab', 5],
        ['ab', 3],
        ['b', 1],
      ]),
      12,
    );
    // a##b 3 and a##a, ##a##b 5 each; equal ones by name: «##a ##b» is before «a ##a».
    const learned = ['##ab', 'aab', 'ab'];
    expect(pieces).toEqual([
      ...['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'],
      ...['##a', '##b', 'a', 'b'],
      ...learned,
    ]);
    expect(learnPieces(new Map([['aab', 5]]), 9).at(-1)).toBe('##ab');
  });

  it('cut every text they were learned from, without an unknown one', () => {
    const ids = texts.flatMap((text) => tokenizer.pieces(text).map(({ id }) => id));
    expect(ids).not.toContain(tokenizer.special['[UNK]']);
  });
});

describe('masked pieces', () => {
  it('are 15 % of a batch without special pieces, mostly hidden, and drawn from the stream alone', () => {
    const ids = Int32Array.from({ length: 4000 }, (_, at) => (at % 20 === 0 ? 2 : 5 + (at % 50)));
    const draw = () => {
      const pieces = ids.slice();
      return { pieces, ...maskPieces(pieces, tokenizer, randomOf(1, 'masking', 3)) };
    };
    const { pieces, places, labels } = draw();
    expect(places).toHaveLength(Math.round(0.15 * 3800));
    expect(labels).toEqual(places.map((at) => ids[at]));
    const hidden = places.filter((at) => pieces[at] === tokenizer.special['[MASK]']).length;
    // 0.8 of 570, give or take three deviations of a binomial draw.
    expect(Math.abs(hidden / places.length - 0.8)).toBeLessThan(0.05);
    const chosen = new Set(places);
    expect(ids.every((id, at) => chosen.has(at) || id === pieces[at])).toBe(true);
    expect(places.every((at) => ids[at] !== 2)).toBe(true);
    expect(draw()).toEqual({ pieces, places, labels });
  });
});

describe('buckets of lengths', () => {
  const lengths = [3, 9, 17, 40, 5, 64, 200, 33, 12];
  const buckets = bucketsOf(lengths, 64, (length) => 128 / length);

  it('hold every text once, in batches of as many pieces', () => {
    expect(buckets.flatMap(({ texts }) => texts).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    for (const { length, batch, texts } of buckets) {
      expect(length * batch).toBe(128);
      for (const text of texts) expect(Math.min(lengths[text], 64)).toBeLessThanOrEqual(length);
    }
  });

  it('give every text once in an epoch, in another order in the next, whoever asks', () => {
    const epoch = (number: number) => {
      const steps = buckets.reduce((sum, { texts, batch }) => sum + Math.ceil(texts.length / batch), 0);
      return Array.from({ length: steps }, (_, at) => batchAt(buckets, 5, number * steps + at).texts);
    };
    expect(new Set(epoch(0).flat())).toEqual(new Set(lengths.keys()));
    expect(epoch(0)).toEqual(epoch(0));
    expect(epoch(1)).not.toEqual(epoch(0));
  });

  it('are fewer where hardly a text has the length', () => {
    const most = Array.from({ length: 99 }, () => 60);
    expect(bucketsOf([...most, 3], 64, (length) => 64 / length).map(({ length }) => length)).toEqual([64]);
  });
});

describe('pre-training', () => {
  const numbers = {
    vocabulary: tokenizer.settings.vocabulary.length,
    hidden: 16,
    layers: 1,
    heads: 2,
    intermediate: 32,
    positions: 40,
    segments: 2,
    epsilon: 1e-12,
    dropout: 0.1,
  };
  const network = {
    backbone: buildBackbone(bert(numbers, 'pieces'), 'symmetric'),
    batchNormEpsilon: 1e-5,
    sourceClasses: numbers.vocabulary,
    targetClasses: 1,
  };
  const plan: PretrainingPlan = {
    seed: 3,
    steps: 24,
    warmup: 2,
    learningRate: 0.02,
    weightDecay: 0.01,
    clip: 1,
    longest: 32,
    pieces: 128,
    drops: true,
  };
  let engine: Engine;
  let folder: string;
  beforeAll(async () => {
    engine = await openEngine('cpu');
    folder = mkdtempSync(join(tmpdir(), 'pretraining-'));
  });
  afterAll(async () => {
    await engine.dispose();
    rmSync(folder, { recursive: true });
  });

  it('learns over several lengths, and goes on from a kept state to the bit', async () => {
    const pieces = texts.map((text) => tokenizer.pieces(text));
    const training = await openPretraining(engine, network, tokenizer, pieces, plan);
    expect(training.buckets.length).toBeGreaterThan(1);
    const path = join(folder, 'checkpoint.safetensors');
    const losses: number[] = [];
    await training.load(untrainedBert(network, plan.seed));
    for (let step = 0; step < plan.steps; step++) {
      losses.push((await training.run(step)).loss);
      if (step + 1 === 16)
        writeCheckpoint(path, training.state, {
          recipe: 'this one',
          step: 16,
          steps: plan.steps,
          state: await training.read(),
        });
    }
    const whole = await training.read();
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    expect(mean(losses.slice(-6))).toBeLessThan(0.8 * mean(losses.slice(0, 6)));

    const { step, state } = readCheckpoint(path, 'this one')!;
    await training.load(state);
    for (let at = step; at < plan.steps; at++) expect((await training.run(at)).loss).toBe(losses[at]);
    expect(await training.read()).toEqual(whole);
    await training.dispose();
    expect(() => readCheckpoint(path, 'another')).toThrow('other texts or settings');

    writeBert(folder, {
      ...{ numbers, network, weights: whole, tokenizer, origin: 'a test' },
      purpose: { head: 'masked' },
    });
    const text = (name: string) => readFileSync(join(folder, name), 'utf8');
    expect(bertOf('it', JSON.parse(text('config.json')))).toEqual(numbers);
    expect(text('vocab.txt').trimEnd().split('\n')).toEqual(tokenizer.settings.vocabulary);
    const header = readSafetensorsHeader(join(folder, 'model.safetensors'));
    const name = 'bert.encoder.layer.0.attention.self.query.weight';
    const query = readTensors(header, [name]).get(name)!;
    // [out, in] there, [in, out] here.
    const own = (whole as Arrays)[name];
    expect([query[1], query[16]]).toEqual([own[16], own[1]]);
    expect(header.tensors.has('cls.predictions.decoder.weight')).toBe(false);
  });

  it('warms the rate up and lets it fall to zero along lines', () => {
    const rates = Array.from({ length: 6 }, (_, step) =>
      rateAt({ ...plan, steps: 6, warmup: 2, learningRate: 4 }, step),
    );
    expect(rates).toEqual([2, 4, 4, 3, 2, 1]);
  });

  it('refuses a configuration that computes something else of the same tensors', () => {
    const config = { model_type: 'bert', vocab_size: 9, hidden_size: 8, num_hidden_layers: 1 };
    const whole = { ...config, num_attention_heads: 2, intermediate_size: 8 };
    expect(bertOf('it', whole).positions).toBe(512);
    expect(() => bertOf('it', { ...whole, hidden_act: 'relu' })).toThrow('hidden_act');
    expect(() => bertOf('it', { ...whole, num_attention_heads: 3 })).toThrow('3 heads');
    expect(() => bertOf('it', config)).toThrow('num_attention_heads');
  });
});
