import { entitiesOf, entityType, scoreEntities } from '../../src-shared/entities.ts';
import { splitMetrics } from '../../src-shared/metrics.ts';
import { predictedClass, predictionColumns } from '../../src-shared/prediction-columns.ts';
import { spanErrors } from '../../src-shared/span-errors.ts';
import type { TagDoubt } from '../../src-shared/tagged-evaluation.ts';
import { tokenClassification as described } from '../../src-shared/tasks/token-classification.ts';
import { permutation, randomOf } from '../data/random.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { openBertFile } from '../text/bert-file.ts';
import { type LabeledRows, labeledRows } from '../text/labeled-rows.ts';
import { splitBySplit } from '../text/split-by-split.ts';
import { ofTexts, textNetworks, tokenizerOf } from '../text/text-networks.ts';
import { featuresOf, logitsOf } from '../text/text-outputs.ts';
import { partsByWords, singleParts, type TextPart, typedText } from '../text/text-parts.ts';
import { lengthNotes, textTraining } from '../text/text-training.ts';
import { wordsOf } from '../text/words.ts';
import { softmaxRows } from '../trainer/predict-logits.ts';
import type { AnyModel, FromTrainer, JobSample, TaggedPredictions } from '../trainer/protocol.ts';
import { placesValues } from '../transfer/places.ts';
import { type BatchShape, mostEntities, taggedTexts } from '../transfer/step-input.ts';
import { needsSourceHead } from '../transfer/step-plan.ts';
import { tagDoubts } from '../transfer/tag-doubts.ts';
import type { Evaluated, Task, Trained } from './task.ts';

/** Sentences in one message, at most. */
const sentencesAtOnce = 500;

/** A tag for each word, in IOB2. */
export const tokenClassification: Task = {
  input: taggedTexts,
  ...textNetworks('pieces', described.outputs),
  labelsOf(samples, classNames) {
    const numbers = numbersOf(described.outputs(classNames));
    return samples.flatMap(({ text }) => text!.tags!.map((tag) => numbers.get(tag)!));
  },
  async openTraining(run) {
    const { job, options } = run;
    const { samples, classNames, config } = job;
    const tokenizer = tokenizerOf(job.model);
    const parts = samples.train.flatMap((sample) => partsByWords(tokenizer, sample, config.size));
    const many = [...Map.groupBy(parts, ({ sample }) => sample).values()].filter((some) => some.length > 1);
    lengthNotes(run, many.length, 'they are divided between words');
    const tags = numbersOf(described.outputs(classNames));
    const types = numbersOf(classNames);
    const sourced = needsSourceHead(options.terms);
    return textTraining(run, parts, tokenizer.special['[PAD]'], (chosen, shape, step) => {
      const { fed, rows } = tagged(chosen, shape, tags);
      return {
        fed: { ...fed, ...(sourced && entityInputs(chosen, shape, types, config.seed, step)) },
        rows,
      };
    });
  },
  async openRows(places, { model, samples, classNames, config }) {
    const tokenizer = tokenizerOf(model);
    const words = samples.train.flatMap((sample) => sample.text!.tags!.map((_, word) => ({ sample, word })));
    const parts = places.map((place): TextPart => {
      const { sample, word } = words[place];
      const isIt = (one: { word: number }) => one.word === word;
      const part = partsByWords(tokenizer, sample, config.size).find((one) => one.words.some(isIt))!;
      return { ...part, words: part.words.filter(isIt) };
    });
    const tags = numbersOf(described.outputs(classNames));
    return singleParts(taggedTexts, parts, tokenizer.special['[PAD]'], (part, shape) => ({
      ...tagged([part], shape, tags).fed,
      ...placesValues('entity', mostEntities(shape), [part.words[0].at], [0]),
    }));
  },
  evaluate: (engine, trained, samples, { model, classNames }, _, onBatch) =>
    splitBySplit(
      samples,
      async (list, told) =>
        evaluated(list, await predictTags(engine, trained, list, model, told), classNames),
      onBatch,
    ),
  async predictTexts(engine, trained, model, texts) {
    const { settings } = tokenizerOf(model);
    const { outputs } = openBertFile(model.path, 'pieces');
    const divided = texts.map((text) =>
      wordsOf(text, { ...settings, lowercase: false, stripAccents: false }).map(({ begins, ends }) =>
        text.slice(begins[0], ends.at(-1)),
      ),
    );
    const samples = texts.map((text, i) => typedText(text, divided[i]));
    const probabilities = await predictTags(engine, trained, samples, model);
    let word = 0;
    return divided.map((words) => ({
      words,
      tags: words.map(() => outputs[predictedClass(probabilities, word++, outputs.length)]),
    }));
  },
  outputs(pretrained, { model, samples, classNames }, output, report, signal) {
    const tokenizer = tokenizerOf(model);
    const names = output === 'features' ? described.outputs(classNames) : classNames;
    const numbers = numbersOf(names);
    const of = (list: readonly JobSample[]): LabeledRows => {
      const parts = list.flatMap((sample) => partsByWords(tokenizer, sample, ofTexts(model).longest));
      const rows = parts.flatMap(({ sample, words }, part) =>
        words.flatMap(({ at, word }) => {
          const tag = sample.text!.tags![word];
          const label = output === 'features' ? numbers.get(tag)! : typeNumber(tag, numbers);
          return label === null ? [] : [{ part, at, label }];
        }),
      );
      return { parts, rows };
    };
    const splits = { train: of(samples.train), val: of(samples.val) };
    return labeledRows(pretrained, splits, tokenizer.special['[PAD]'], output, null, report, signal);
  },
};

const numbersOf = (names: readonly string[]): ReadonlyMap<string, number> =>
  new Map(names.map((name, number) => [name, number]));

/** Number of a tag's type; null outside of entities. */
function typeNumber(tag: string, types: ReadonlyMap<string, number>): number | null {
  const type = entityType(tag);
  return type === null ? null : types.get(type)!;
}

/** Labels where words begin, which alone count: the mean over them is the mean over all rows. */
function tagged(
  chosen: readonly TextPart[],
  { batch, size }: BatchShape,
  tags: ReadonlyMap<string, number>,
): { fed: Arrays; rows: number } {
  const labels = new Int32Array(batch * size);
  const counts = new Float32Array(batch * size);
  const rows = chosen.reduce((sum, { words }) => sum + words.length, 0);
  for (const [row, { sample, words }] of chosen.entries())
    for (const { at, word } of words) {
      labels[row * size + at] = tags.get(sample.text!.tags![word])!;
      counts[row * size + at] = (batch * size) / rows;
    }
  return { fed: { labels, counts }, rows };
}

/** First pieces of entities' words with their types; where there are more than fit, some that follow from (seed, step). */
function entityInputs(
  chosen: readonly TextPart[],
  shape: BatchShape,
  types: ReadonlyMap<string, number>,
  seed: number,
  step: number,
): Arrays {
  const most = mostEntities(shape);
  const all = chosen.flatMap(({ sample, words }, row) =>
    words.flatMap(({ at, word }) => {
      const type = typeNumber(sample.text!.tags![word], types);
      return type === null ? [] : [{ place: row * shape.size + at, type }];
    }),
  );
  const order = all.length > most ? permutation(all.length, randomOf(seed, 'entities', step)) : all.keys();
  const kept = [...order].slice(0, most).map((index) => all[index]);
  return placesValues(
    'entity',
    most,
    kept.map(({ place }) => place),
    kept.map(({ type }) => type),
  );
}

/** Probabilities of the tags of every word, row-major [words, tags], sentence after sentence. */
async function predictTags(
  engine: Engine,
  { network, weights }: Trained,
  samples: readonly JobSample[],
  model: AnyModel,
  onBatch: (done: number) => void = () => {},
): Promise<Float32Array> {
  const tokenizer = tokenizerOf(model);
  const parts = samples.flatMap((sample) => partsByWords(tokenizer, sample, ofTexts(model).longest));
  const rows = parts.flatMap(({ words }, part) => words.map(({ at }) => ({ part, at })));
  const padding = tokenizer.special['[PAD]'];
  const features = await featuresOf(engine, network, weights, parts, rows, padding, (done) =>
    onBatch(Math.floor((done * samples.length) / parts.length)),
  );
  const { data, columns } = await logitsOf(engine, network, 'target', weights, features);
  return softmaxRows(data as Float32Array, columns);
}

function evaluated(
  samples: readonly JobSample[],
  probabilities: Float32Array,
  classNames: readonly string[],
): Evaluated {
  if (samples.length === 0) return { metrics: null, suspects: () => 0, predictions: () => [] };
  const outputs = described.outputs(classNames);
  const numbers = numbersOf(outputs);
  const gold = samples.map(({ text }) => text!.tags!);
  const labels = gold.flatMap((tags) => tags.map((tag) => numbers.get(tag)!));
  const columns = predictionColumns(probabilities, labels, outputs.length);
  let first = 0;
  const sentences = gold.map((tags) => {
    const words = { from: first, to: first + tags.length };
    first = words.to;
    const mean = (values: Float64Array) =>
      values.subarray(words.from, words.to).reduce((sum, value) => sum + value, 0) / tags.length;
    const predicted = Array.from(columns.predicted.subarray(words.from, words.to), (tag) => outputs[tag]);
    return {
      words,
      tags: predicted,
      errors: spanErrors(entitiesOf(tags), entitiesOf(predicted)).length,
      confidence: mean(columns.confidence),
      loss: mean(columns.loss),
    };
  });
  let found: (TagDoubt | null)[] | undefined;
  const doubts = () => {
    found ??= tagDoubts(
      sentences,
      { data: probabilities, rows: labels.length, columns: outputs.length },
      labels,
      outputs,
    );
    return found;
  };
  const { micro, perType } = scoreEntities(
    gold,
    sentences.map(({ tags }) => tags),
  );
  const types = Object.values(perType);
  return {
    metrics: {
      ...splitMetrics({ labels, ...columns }, outputs.length),
      macro_f1: types.reduce((sum, { f1 }) => sum + f1, 0) / Math.max(1, types.length),
      entities: { precision: micro.precision, recall: micro.recall, f1: micro.f1 },
    },
    suspects: () => doubts().filter((doubt) => doubt !== null).length,
    *predictions(split): Generator<FromTrainer> {
      for (let at = 0; at < samples.length; at += sentencesAtOnce) {
        const some = sentences.slice(at, at + sentencesAtOnce);
        const predictions: TaggedPredictions = {
          split,
          first: at,
          total: samples.length,
          sampleIds: Int32Array.from(samples.slice(at, at + sentencesAtOnce), ({ id }) => id),
          tags: some.map(({ tags }) => tags),
          gold: gold.slice(at, at + sentencesAtOnce),
          errors: Int32Array.from(some, ({ errors }) => errors),
          confidence: Float64Array.from(some, ({ confidence }) => confidence),
          loss: Float64Array.from(some, ({ loss }) => loss),
          doubts: doubts().slice(at, at + sentencesAtOnce),
        };
        yield { type: 'tagged', predictions };
      }
    },
  };
}
