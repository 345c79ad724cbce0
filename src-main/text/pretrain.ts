/**
 * `npm run text:pretrain -- FILE… --out FOLDER`: learns word pieces from texts and pre-trains a small BERT on them from random weights,
 * by masked language modelling with the product's own engine. Interrupted, the same command goes on where it ended.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { buildBackbone } from '../backbones/build.ts';
import { type Bert, bert } from '../backbones/networks/bert.ts';
import type { Arrays } from '../engine/engine.ts';
import { openEngine } from '../engine/open.ts';
import { makeFolder } from '../formats/make-folder.ts';
import type { Network } from '../transfer/network.ts';
import { learnPieces } from './learn-pieces.ts';
import { openPretraining, type Pretraining, type PretrainingPlan, untrainedBert } from './pretraining.ts';
import { readCheckpoint, writeCheckpoint } from './pretraining-checkpoint.ts';
import { readTexts } from './read-texts.ts';
import { openTokenizer, type Tokenizer } from './tokenizer.ts';
import { wordsOf } from './words.ts';
import { writeBert } from './write-bert.ts';

const usage = `usage: npm run text:pretrain -- FILE… --out FOLDER [options]

Files are texts, one in each line, or CoNLL's columns.

  --out FOLDER       where the network goes: config.json, model.safetensors, vocab.txt, tokenizer.json
  --minutes M        as many steps as fit into M minutes here, measured before the first (default: --steps)
  --steps N          steps of training (2000)
  --vocabulary N     word pieces to learn (8000)
  --lowercase        pieces without capitals and accents
  --layers N         (4)     --hidden N   (256)     --heads N  (4)
  --length N         most pieces of a text (128)
  --batch-pieces N   pieces of a batch, padding included (2048)
  --rate R           learning rate (1e-3)
  --dropout          drop a tenth of the values while training
  --seed N           (0)
`;

const { values, positionals } = options();

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        out: { type: 'string' },
        minutes: { type: 'string' },
        steps: { type: 'string', default: '2000' },
        vocabulary: { type: 'string', default: '8000' },
        lowercase: { type: 'boolean', default: false },
        layers: { type: 'string', default: '4' },
        hidden: { type: 'string', default: '256' },
        heads: { type: 'string', default: '4' },
        length: { type: 'string', default: '128' },
        'batch-pieces': { type: 'string', default: '2048' },
        rate: { type: 'string', default: '1e-3' },
        dropout: { type: 'boolean', default: false },
        seed: { type: 'string', default: '0' },
      },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

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
  const { out } = values;
  if (!out || positionals.length === 0) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const texts = positionals.flatMap(readTexts);
  const tokenizer = learnedTokenizer(texts);
  const numbers: Bert = {
    vocabulary: tokenizer.settings.vocabulary.length,
    hidden: whole('hidden'),
    layers: whole('layers'),
    heads: whole('heads'),
    intermediate: 4 * whole('hidden'),
    positions: Math.max(512, whole('length')),
    segments: 2,
    epsilon: 1e-12,
    dropout: 0.1,
  };
  if (numbers.hidden % numbers.heads > 0)
    throw new CotuneError(
      'bad-input',
      `${numbers.hidden} features cannot be shared by ${numbers.heads} heads.`,
      'Choose a --hidden that --heads divides.',
    );
  const network: Network = {
    backbone: buildBackbone(bert(numbers, 'pieces'), 'symmetric'),
    batchNormEpsilon: 1e-5,
    sourceClasses: numbers.vocabulary,
    targetClasses: 1,
  };
  const plan: Omit<PretrainingPlan, 'steps' | 'warmup'> = {
    seed: whole('seed'),
    learningRate: positive('rate'),
    weightDecay: 0.01,
    clip: 1,
    longest: whole('length'),
    pieces: whole('batch-pieces'),
    drops: values.dropout,
  };
  const recipe = JSON.stringify({ numbers, plan, texts: hashOf(texts) });

  makeFolder(out);
  const checkpoint = join(out, 'checkpoint.safetensors');
  const kept = readCheckpoint(checkpoint, recipe);
  const pieces = texts.map((text) => tokenizer.pieces(text)).filter((text) => text.length > 0);
  console.error(
    `${pieces.length} texts, ${pieces.reduce((sum, text) => sum + text.length, 0)} pieces of ${numbers.vocabulary}`,
  );
  const engine = await openEngine('cpu');
  const open = (steps: number) => {
    const warmup = Math.max(1, Math.round(warmupShare * steps));
    return openPretraining(engine, network, tokenizer, pieces, { ...plan, steps, warmup });
  };
  const begun = untrainedBert(network, plan.seed);
  const steps = kept?.steps ?? (values.minutes === undefined ? whole('steps') : await stepsIn(open, begun));
  const training = await open(steps);
  await training.load(kept?.state ?? begun);
  const finished = await train(training, kept?.step ?? 0, steps, (step, state) =>
    writeCheckpoint(checkpoint, training.state, { recipe, step, steps, state }),
  );
  if (finished) {
    const origin = `npm run text:pretrain (seed ${plan.seed}, ${steps} steps)`;
    writeBert(out, numbers, network, await training.read(), tokenizer, origin);
    rmSync(checkpoint, { force: true });
    console.log(out);
  } else console.error('Interrupted: run the same command again to go on.');
  await training.dispose();
  await engine.dispose();
}

/** Steps that fit into the minutes that were asked for, by the time that the first ones take. */
async function stepsIn(open: (steps: number) => Promise<Pretraining>, begun: Arrays): Promise<number> {
  const trial = await open(1000);
  await trial.load(Object.fromEntries(Object.entries(begun).map(([name, array]) => [name, array.slice()])));
  // The first time a program also grows its memory.
  for (let step = 0; step < tried; step++) await trial.run(step);
  const from = performance.now();
  for (let step = tried; step < 2 * tried; step++) await trial.run(step);
  const took = (performance.now() - from) / tried;
  await trial.dispose();
  const steps = Math.max(1, Math.floor((60_000 * positive('minutes')) / took));
  console.error(`${steps} steps fit into ${values.minutes} minutes; --steps ${steps} does the same again.`);
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
function learnedTokenizer(texts: readonly string[]): Tokenizer {
  const rules = { lowercase: values.lowercase, stripAccents: values.lowercase, splitIdeographs: true };
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const { characters } of wordsOf(text, rules)) {
      const word = characters.join('');
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  if (counts.size === 0)
    throw new CotuneError('bad-input', 'There are no words in these files.', 'Name files of text.');
  const vocabulary = learnPieces(counts, whole('vocabulary'));
  return openTokenizer({ ...rules, vocabulary, longestWord: 100 });
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text}\n`);
  return hash.digest('hex');
}

type Option = Exclude<keyof typeof values, 'lowercase' | 'dropout' | 'out'>;

function positive(option: Option): number {
  const value = Number(values[option]);
  if (Number.isFinite(value) && value > 0) return value;
  throw new CotuneError('bad-input', `--${option} ${values[option]} is no number above zero.`, 'Give one.');
}

/** A whole number, the seed 0 included. */
function whole(option: Option): number {
  const value = Number(values[option]);
  if (Number.isInteger(value) && (value > 0 || (option === 'seed' && value === 0))) return value;
  throw new CotuneError(
    'bad-input',
    `--${option} ${values[option]} is no whole number.`,
    'Give one above zero.',
  );
}
