/**
 * `npm run text:pretrain -- FILE… --out FOLDER`: learns word pieces from texts and pre-trains a small BERT on them from random weights,
 * or goes on with one, by masked language modelling with the product's own engine. Interrupted, the same command goes on where it ended.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import type { Bert } from '../backbones/networks/bert.ts';
import type { Arrays } from '../engine/engine.ts';
import { openEngine } from '../engine/open.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { learnPieces } from './learn-pieces.ts';
import { bertNetwork, openBert } from './open-bert.ts';
import { type PretrainOptions, pretrainOptions, usage } from './pretrain-options.ts';
import { openPretraining, type Pretraining, type PretrainingPlan, untrainedBert } from './pretraining.ts';
import { readCheckpoint, writeCheckpoint } from './pretraining-checkpoint.ts';
import { describeTexts, readTexts } from './read-texts.ts';
import { openTokenizer, type Tokenizer } from './tokenizer.ts';
import { wordsOf } from './words.ts';
import { writeBert } from './write-bert.ts';

/** Steps after which the state is kept. */
const keptEvery = 250;
/** Share of the steps in which the rate rises. */
const warmupShare = 0.1;
/** Steps before and in the measurement of how long one takes. */
const tried = 12;

try {
  await main();
} catch (error) {
  const { message, hint } = toErrorValue(error);
  console.error(`${message} ${hint}`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  // npm runs scripts in the project's folder.
  const options = pretrainOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  if (!options) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const { out, seed } = options;
  if (existsSync(join(out, 'model.safetensors')))
    throw new CotuneError('conflict', `${out} holds a network already.`, 'Choose another --out.');
  const files = options.files.map((path) => ({ path, found: readTexts(path) }));
  for (const { path, found } of files) console.error(describeTexts(path, found));
  const texts = files.flatMap(({ found }) => found.samples.map(({ text }) => text));
  const before = options.from === null ? null : openBert(options.from);
  for (const note of before?.notes ?? []) console.error(note);
  const tokenizer = before?.tokenizer ?? learnedTokenizer(texts, options);
  const numbers: Bert = before?.numbers ?? {
    vocabulary: tokenizer.settings.vocabulary.length,
    hidden: options.hidden,
    layers: options.layers,
    heads: options.heads,
    intermediate: 4 * options.hidden,
    positions: Math.max(512, options.length),
    segments: 2,
    epsilon: 1e-12,
    dropout: 0.1,
  };
  const network = bertNetwork(numbers);
  const plan: Omit<PretrainingPlan, 'steps' | 'warmup'> = {
    seed,
    learningRate: options.rate,
    weightDecay: 0.01,
    clip: 1,
    longest: Math.min(options.length, numbers.positions),
    pieces: options.batchPieces,
    drops: options.dropout,
  };
  const begins = before ? hashOf(Object.values(before.weights)) : null;
  const recipe = JSON.stringify({ numbers, plan, texts: hashOf(texts), begins });

  makeFolder(out);
  const checkpoint = join(out, 'checkpoint.safetensors');
  const kept = readCheckpoint(checkpoint, recipe);
  const pieces = texts.map((text) => tokenizer.pieces(text)).filter((text) => text.length > 0);
  if (pieces.length === 0)
    throw new CotuneError('bad-input', 'There are no words in these files.', 'Name files of text.');
  console.error(
    `${pieces.length} texts, ${pieces.reduce((sum, text) => sum + text.length, 0)} pieces of ${numbers.vocabulary}`,
  );
  const engine = await openEngine('cpu');
  const open = (steps: number) => {
    const warmup = Math.max(1, Math.round(warmupShare * steps));
    return openPretraining(engine, network, tokenizer, pieces, { ...plan, steps, warmup });
  };
  const begun = { ...untrainedBert(network, seed), ...before?.weights };
  const steps =
    kept?.steps ?? (options.minutes === null ? options.steps : await stepsIn(options.minutes, open, begun));
  const training = await open(steps);
  await training.load(kept?.state ?? begun);
  const finished = await train(training, kept?.step ?? 0, steps, (step, state) =>
    writeCheckpoint(checkpoint, training.state, { recipe, step, steps, state }),
  );
  if (finished) {
    const origin = `npm run text:pretrain (seed ${seed}, ${steps} steps)`;
    writeBert(out, {
      ...{ numbers, network, weights: await training.read(), tokenizer, origin },
      purpose: { head: 'masked' },
    });
    rmSync(checkpoint, { force: true });
    console.log(out);
  } else console.error('Interrupted: run the same command again to go on.');
  await training.dispose();
  await engine.dispose();
}

/** Steps that fit into the minutes that were asked for, by the time that the first ones take. */
async function stepsIn(
  minutes: number,
  open: (steps: number) => Promise<Pretraining>,
  begun: Arrays,
): Promise<number> {
  const trial = await open(1000);
  await trial.load(Object.fromEntries(Object.entries(begun).map(([name, array]) => [name, array.slice()])));
  // The first time a program also grows its memory.
  for (let step = 0; step < tried; step++) await trial.run(step);
  const from = performance.now();
  for (let step = tried; step < 2 * tried; step++) await trial.run(step);
  const took = (performance.now() - from) / tried;
  await trial.dispose();
  const steps = Math.max(1, Math.floor((60_000 * minutes) / took));
  console.error(`${steps} steps fit into ${minutes} minutes; --steps ${steps} does the same again.`);
  return steps;
}

/** Trains from a step to the last one; false where a person interrupts it. */
async function train(
  training: Pretraining,
  from: number,
  steps: number,
  keep: (step: number, state: Arrays) => void,
): Promise<boolean> {
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const started = performance.now();
  let shown = { at: started, losses: [] as number[], pieces: 0 };
  for (let step = from; step < steps; step++) {
    const { loss, norm, pieces } = await training.run(step);
    if (!Number.isFinite(loss))
      throw new CotuneError(
        'failed',
        `The loss is no number at step ${step + 1}.`,
        'Choose a smaller --rate.',
      );
    shown.losses.push(loss);
    shown.pieces += pieces;
    const now = performance.now();
    const done = step + 1;
    if (done === steps || now - shown.at > 10_000) {
      const mean = shown.losses.reduce((a, b) => a + b, 0) / shown.losses.length;
      const seconds = (now - shown.at) / 1000;
      console.error(
        `step ${done} of ${steps}, ${((now - started) / 1000).toFixed(0)} s: loss ${mean.toFixed(3)}, gradient ${norm.toFixed(2)}, ${(shown.losses.length / seconds).toFixed(2)} steps/s, ${(shown.pieces / seconds).toFixed(0)} pieces/s`,
      );
      shown = { at: now, losses: [], pieces: 0 };
    }
    if (done < steps && (interrupted || done % keptEvery === 0)) keep(done, await training.read());
    if (interrupted && done < steps) return false;
  }
  return true;
}

/** A tokenizer whose pieces are learned from the texts. */
function learnedTokenizer(
  texts: readonly string[],
  { lowercase, vocabulary: size }: PretrainOptions,
): Tokenizer {
  const rules = { lowercase, stripAccents: lowercase, splitIdeographs: true };
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const { characters } of wordsOf(text, rules)) {
      const word = characters.join('');
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  const vocabulary = learnPieces(counts, size);
  return openTokenizer({ ...rules, vocabulary, longestWord: 100 });
}

function hashOf(values: readonly (string | NodeJS.ArrayBufferView)[]): string {
  const hash = createHash('sha256');
  for (const value of values) hash.update(typeof value === 'string' ? `${value}\n` : value);
  return hash.digest('hex');
}
