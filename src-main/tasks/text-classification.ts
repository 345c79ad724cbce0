import { splitMetrics } from '../../src-shared/metrics.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { labeledRows } from '../text/labeled-rows.ts';
import { ofTexts, textNetworks, tokenizerOf } from '../text/text-networks.ts';
import { featuresOf, logitsOf } from '../text/text-outputs.ts';
import { type TextPart, wholeText } from '../text/text-parts.ts';
import { lengthNotes, textTraining } from '../text/text-training.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import { softmaxRows } from '../trainer/predict-logits.ts';
import type { JobSample } from '../trainer/protocol.ts';
import { predictionMessages } from '../trainer/report-predictions.ts';
import { classifiedTexts } from '../transfer/step-input.ts';
import type { Evaluated, Task } from './task.ts';

const partsOf = (tokenizer: Tokenizer, samples: readonly JobSample[], longest: number): TextPart[] =>
  samples.map((sample) => wholeText(tokenizer, sample, longest));

/** A text's own row is its first piece. */
const rowsOf = (parts: readonly TextPart[]) =>
  parts.map(({ sample: { label } }, part) => ({ part, at: 0, label }));

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
    const whole = partsOf(tokenizer, job.samples.train, Number.POSITIVE_INFINITY);
    const long = whole.filter(({ ids }) => ids.length > job.config.size).length;
    lengthNotes(run, long, 'the network sees as many from their beginning');
    return textTraining(run, parts, padding, (chosen) => ({
      fed: { labels: Int32Array.from(chosen, ({ sample }) => sample.label) },
      rows: chosen.length,
    }));
  },
  async evaluate(engine, { network, weights }, samples, { model, config }, _, onBatch = () => {}) {
    const tokenizer = tokenizerOf(model);
    const padding = tokenizer.special['[PAD]'];
    const found: Record<string, Evaluated> = {};
    let before = 0;
    for (const [split, list] of Object.entries<JobSample[]>(samples)) {
      const parts = partsOf(tokenizer, list, config.size);
      const features = await featuresOf(engine, network, weights, parts, rowsOf(parts), padding, (done) =>
        onBatch(before + done),
      );
      before += list.length;
      const { data, columns } = await logitsOf(engine, network, 'target', weights, features);
      const probabilities = softmaxRows(data as Float32Array, columns);
      const labels = list.map(({ label }) => label);
      const sampleIds = Int32Array.from(list, ({ id }) => id);
      found[split] = {
        metrics:
          list.length === 0
            ? null
            : splitMetrics({ labels, ...predictionColumns(probabilities, labels, columns) }, columns),
        classified: { sampleIds, probabilities },
        predictions: (of) => predictionMessages(of, sampleIds, probabilities),
      };
    }
    return found as Record<keyof typeof samples, Evaluated>;
  },
  outputs(pretrained, { model, samples }, output, report, signal) {
    const tokenizer = tokenizerOf(model);
    const of = (list: readonly JobSample[]) => {
      const parts = partsOf(tokenizer, list, ofTexts(model).longest);
      return { parts, rows: rowsOf(parts) };
    };
    const splits = { train: of(samples.train), val: of(samples.val) };
    return labeledRows(pretrained, splits, tokenizer.special['[PAD]'], output, report, signal);
  },
};
