import type { Engine } from '../engine/engine.ts';
import { labeledRows } from '../text/labeled-rows.ts';
import { splitBySplit } from '../text/split-by-split.ts';
import { ofTexts, textNetworks, tokenizerOf } from '../text/text-networks.ts';
import { featuresOf, logitsOf } from '../text/text-outputs.ts';
import { singleParts, type TextPart, typedText, wholeText } from '../text/text-parts.ts';
import { lengthNotes, textTraining } from '../text/text-training.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { classified } from '../trainer/classified.ts';
import { softmaxRows } from '../trainer/predict-logits.ts';
import type { AnyModel, JobSample } from '../trainer/protocol.ts';
import { classifiedTexts } from '../transfer/step-input.ts';
import type { Task, Trained } from './task.ts';

const partsOf = (tokenizer: Tokenizer, samples: readonly JobSample[], longest: number): TextPart[] =>
  samples.map((sample) => wholeText(tokenizer, sample, longest));

/** What the new head reads of a text is its first piece. */
const firstPieces = (parts: readonly TextPart[]) =>
  parts.map(({ sample: { label } }, part) => ({ part, at: 0, label }));

/** What the source head reads of it is the mean of its pieces, without [CLS] and [SEP]. */
const meanPieces = (parts: readonly TextPart[]) =>
  parts.map(({ ids, sample: { label } }, part) => ({ part, at: 1, count: ids.length - 2, label }));

/** Probabilities of the classes of every text, row-major [texts, classes]. */
async function predictClasses(
  engine: Engine,
  { network, weights }: Trained,
  samples: readonly JobSample[],
  model: AnyModel,
  onBatch?: (done: number) => void,
): Promise<{ probabilities: Float32Array; classes: number }> {
  const tokenizer = tokenizerOf(model);
  const parts = partsOf(tokenizer, samples, ofTexts(model).longest);
  const padding = tokenizer.special['[PAD]'];
  const features = await featuresOf(engine, network, weights, parts, firstPieces(parts), padding, onBatch);
  const { data, columns } = await logitsOf(engine, network, 'target', weights, features);
  return { probabilities: softmaxRows(data as Float32Array, columns), classes: columns };
}

/** A class for each text. */
export const textClassification: Task = {
  input: classifiedTexts,
  ...textNetworks('text', (classNames) => classNames),
  labelsOf: (samples) => samples.map(({ label }) => label),
  async openTraining(run) {
    const { job } = run;
    const tokenizer = tokenizerOf(job.model);
    const padding = tokenizer.special['[PAD]'];
    const parts = partsOf(tokenizer, job.samples.train, job.config.size);
    const long = parts.filter(({ isCut }) => isCut);
    lengthNotes(run, long.length, 'the network sees as many from their beginning');
    return textTraining(run, parts, padding, (chosen) => ({
      fed: { labels: Int32Array.from(chosen, ({ sample }) => sample.label) },
      rows: chosen.length,
    }));
  },
  async openRows(places, { model, samples, config }) {
    const tokenizer = tokenizerOf(model);
    const chosen = places.map((place) => samples.train[place]);
    const parts = partsOf(tokenizer, chosen, config.size);
    return singleParts(classifiedTexts, parts, tokenizer.special['[PAD]'], ({ sample: { label } }) => ({
      labels: Int32Array.of(label),
    }));
  },
  evaluate: (engine, trained, samples, { model }, _, onBatch) =>
    splitBySplit(
      samples,
      async (list, told) => {
        const { probabilities, classes } = await predictClasses(engine, trained, list, model, told);
        return classified(list, probabilities, classes);
      },
      onBatch,
    ),
  async predictTexts(engine, trained, model, texts) {
    const samples = texts.map((text) => typedText(text, null));
    const { probabilities, classes } = await predictClasses(engine, trained, samples, model);
    return texts.map((_, i) => ({ probabilities: probabilities.slice(i * classes, (i + 1) * classes) }));
  },
  outputs(pretrained, { model, samples, seed = 0 }, output, report, signal) {
    const rowsOf = output === 'features' ? firstPieces : meanPieces;
    const tokenizer = tokenizerOf(model);
    const of = (list: readonly JobSample[]) => {
      const parts = partsOf(tokenizer, list, ofTexts(model).longest);
      return { parts, rows: rowsOf(parts) };
    };
    const splits = { train: of(samples.train), val: of(samples.val) };
    const pooler = output === 'features' ? { seed } : null;
    return labeledRows(pretrained, splits, tokenizer.special['[PAD]'], output, pooler, report, signal);
  },
};
