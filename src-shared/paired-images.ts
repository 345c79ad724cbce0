/** Two runs over the same images: what they share, in what they differ, and the words for a difference. */
import type { Interval, PairComparison } from './contract.ts';
import type { Run, RunConfig, Sample } from './domain.ts';
import { wilsonInterval } from './statistics.ts';

/** A run with its predictions on the test split. */
export interface ComparedRun {
  run: Run;
  classNames: string[];
  predictions: { sample: Sample; predicted: number }[];
}

export interface SharedImage {
  sample: Sample;
  predictedA: number;
  predictedB: number;
}

export function sharedImages(a: ComparedRun, b: ComparedRun): SharedImage[] {
  const byId = new Map(a.predictions.map((prediction) => [prediction.sample.id, prediction.predicted]));
  return b.predictions.flatMap(({ sample, predicted }) => {
    const predictedA = byId.get(sample.id);
    return predictedA === undefined ? [] : [{ sample, predictedA, predictedB: predicted }];
  });
}

/** 1 where only b is right, −1 where only a is, else 0. */
export const gain = ({ sample, predictedA, predictedB }: SharedImage): number =>
  Number(predictedB === sample.label) - Number(predictedA === sample.label);

export const excludesZero = ({ low, high }: Interval): boolean => low > 0 || high < 0;

/** Test accuracy with its 95 % Wilson interval. */
export function accuracy({ predictions }: ComparedRun): Interval {
  const hits = predictions.filter(({ sample, predicted }) => predicted === sample.label).length;
  const [low, high] = wilsonInterval(hits, predictions.length);
  return { value: hits / predictions.length, low, high };
}

/** Settings in which two runs differ, as a person reads them. */
export function configDifferences(a: RunConfig, b: RunConfig): PairComparison['configDifferences'] {
  const keys = Object.keys(a) as (keyof RunConfig)[];
  return keys.flatMap((key) => {
    const [inA, inB] = [String(a[key]), String(b[key])];
    return inA === inB ? [] : [{ key, a: inA, b: inB }];
  });
}

/** Why a difference between two runs cannot be put down to the method; empty where they are like for like. */
export function unlikeness(a: ComparedRun, b: ComparedRun, shared: number): string[] {
  const reasons: string[] = [];
  const [first, second] = [a.run, b.run];
  const differ = (key: 'seed' | 'rate' | 'size') => first.config[key] !== second.config[key];
  const values = (key: 'seed' | 'rate' | 'size') => `${first.config[key]} and ${second.config[key]}`;
  const budget = ({ config }: Run) => `${config.steps} steps of ${config.batch} images`;

  if (shared === 0) reasons.push('The runs share no test image.');
  else if (shared < a.predictions.length || shared < b.predictions.length)
    reasons.push(
      `Only ${shared} test images are shared, of ${a.predictions.length} and ${b.predictions.length}.`,
    );
  if (first.datasetHash !== second.datasetHash)
    reasons.push('The datasets differ, or the dataset changed between the runs.');
  if (first.modelHash !== second.modelHash) reasons.push('They start from different pre-trained networks.');
  if (differ('rate')) reasons.push(`The rates differ: ${values('rate')} of the training images.`);
  if (differ('seed')) reasons.push(`The seeds differ: ${values('seed')}.`);
  if (first.splitHash !== second.splitHash && !differ('rate') && !differ('seed'))
    reasons.push('They were trained, validated or tested on different images.');
  if (differ('size')) reasons.push(`The image sizes differ: ${values('size')} pixels.`);
  if (budget(first) !== budget(second))
    reasons.push(`The budgets differ: ${budget(first)} and ${budget(second)}.`);
  return reasons;
}

/** A difference of accuracies with its interval, in percentage points. */
export function inPoints({ value, low, high }: Interval): string {
  const signed = (x: number) => {
    const digits = Math.abs(x * 100).toFixed(1);
    return digits === '0.0' ? '0.0' : `${x < 0 ? '−' : '+'}${digits}`;
  };
  return `${signed(value)} points, 95 % interval ${signed(low)} to ${signed(high)}`;
}
