/**
 * The linear probe: multinomial logistic regression with a bias on a frozen network's features, at its exact optimum. It is a
 * method of its own, and where linear probing then fine-tuning starts from (Kumar et al., ICLR 2022).
 */
import { CotuneError } from '../../src-shared/errors.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { toTf } from '../backbones/layouts.ts';
import type { Arrays } from '../engine/engine.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';
import { chooseRegularization } from './choose-regularization.ts';
import { LogisticRegression, type Solution } from './logistic-regression.ts';
import { targetHead, targetHeadTensors } from './network.ts';
import { meanNll } from './temperature.ts';
import type { LabeledFeatures, Preparation } from './term.ts';

/** Values of the inverse regularization C that are tried, for features whose mean squared norm is 1. */
const probeGrid = [1e4, 3e3, 1e3, 3e2, 1e2, 3e1, 1e1, 3, 1, 3e-1, 1e-1, 3e-2, 1e-2] as const;

/** C where there is no validation image to choose by. */
const usualC = 10;

/** ‖W − W*‖ ≤ 1e-5 ‖W‖: logits then agree with the exact ones to about what float32 keeps in a forward pass. */
const weightTolerance = 1e-5;

/** A class without training images scores this much less than the mean of the others, which makes it 1e-13 as probable. */
const absentBias = -30;

export interface Probe {
  /** [targets, columns], for the features as they were given. */
  weight: Float32Array;
  /** [targets], with mean 0 over the classes that have training images. */
  bias: Float32Array;
  /** For features whose mean squared norm about their mean is 1. */
  C: number;
  /** Null without a validation image. */
  valAccuracy: number | null;
  /** What a person should know. */
  notes: string[];
}

/** The linear probe as the layer of scores of the network's new head, in tf.js layouts. */
export async function probedHead({ network, features, note }: Preparation): Promise<Arrays> {
  const { train, val } = await features();
  const { weight, bias, notes } = await fitProbe(train, val, network.targetClasses);
  for (const text of notes) note(text);
  return Object.fromEntries(
    targetHeadTensors(network)
      .filter(({ name }) => name.startsWith(`${targetHead}.`))
      .map((tensor) => [tensor.name, toTf(tensor, tensor.kind === 'vector' ? bias : weight)]),
  );
}

/**
 * W and b minimizing C Σ_i −log softmax(W x_i + b)[y_i] + ½ ‖W‖² over the training images. Features are centered, which the
 * free bias makes up for, and divided by one number, the root of their mean squared norm, so that C means the same for every
 * network; they are not standardized one by one, which would raise the ones that hardly vary to the level of the rest. C is
 * the one with the highest validation accuracy, of equals that with the lowest NLL. Errors: `bad-input` where fewer than two
 * classes have training images, or features are not finite.
 */
export async function fitProbe(
  train: LabeledFeatures,
  val: LabeledFeatures,
  targets: number,
): Promise<Probe> {
  const trained = [...new Set(train.labels)].sort((a, b) => a - b);
  if (trained.length < 2)
    throw new CotuneError(
      'bad-input',
      'All training samples are of one target class; a linear probe needs two.',
      'Add samples of another class.',
    );
  const every = [...train.labels.keys()];
  const scaling = scalingOf(train.features, every);
  const index = new Map(trained.map((label, i) => [label, i]));
  const known = [...val.labels.keys()].filter((i) => index.has(val.labels[i]));
  const labelsOf = (labels: Int32Array, rows: Iterable<number>) =>
    Int32Array.from(rows, (i) => index.get(labels[i])!);
  const x = openFixedMatrix(scaled(train.features, scaling, every), trained.length, true);
  const xVal = openFixedMatrix(scaled(val.features, scaling, known), trained.length, true);
  const problem = new LogisticRegression(x, labelsOf(train.labels, every), trained.length);
  try {
    const valLabels = labelsOf(val.labels, known);
    const { best, valAccuracy } =
      known.length > 0
        ? await chosen(problem, { x: xVal, labels: valLabels }, known.length / val.labels.length)
        : { best: await exact(problem, usualC), valAccuracy: null };
    const absent = targets - trained.length;
    return {
      ...unscaled(best, scaling, trained, targets),
      C: best.C,
      valAccuracy,
      notes: [
        valAccuracy === null
          ? `Linear probe: C = ${best.C}, the usual one, since there is no validation sample to choose by.`
          : `Linear probe: C = ${best.C} has the best validation accuracy, ${(100 * valAccuracy).toFixed(1)} %.`,
        ...(absent > 0
          ? [`${absent} target classes have no training sample: the linear probe never predicts them.`]
          : []),
      ],
    };
  } finally {
    await problem.dispose();
    await x.dispose();
    await xVal.dispose();
  }
}

async function chosen(
  problem: LogisticRegression,
  val: Parameters<typeof chooseRegularization>[1],
  /** Of all validation images, those of a class that has training images. */
  share: number,
) {
  const best = await chooseRegularization(problem, val, {
    grid: probeGrid,
    tolerance: () => weightTolerance,
    preference: (_, valLogits) => -meanNll(valLogits, val.labels, 1),
  });
  return { best, valAccuracy: best.valAccuracy * share };
}

/** The solution for one C. */
export async function exact(
  problem: LogisticRegression,
  C: number,
  tolerance = weightTolerance,
): Promise<Solution> {
  const { value } = await problem.path([C]).next();
  return problem.polish(value, tolerance);
}

interface Scaling {
  /** [columns] */
  mean: Float64Array;
  factor: number;
}

/** Mean and scale of some rows. Errors: `bad-input` where they are not finite. */
export function scalingOf({ data, columns }: Matrix, rows: readonly number[]): Scaling {
  const mean = new Float64Array(columns);
  for (const row of rows) for (let j = 0; j < columns; j++) mean[j] += data[row * columns + j] / rows.length;
  let squares = 0;
  for (const row of rows)
    for (let j = 0; j < columns; j++) squares += (data[row * columns + j] - mean[j]) ** 2;
  if (!Number.isFinite(squares))
    throw new CotuneError(
      'bad-input',
      'The network gives features that are not finite.',
      'The network, or a sample, is broken.',
    );
  return { mean, factor: squares > 0 ? Math.sqrt(rows.length / squares) : 1 };
}

/** Some rows, scaled, with a column of ones behind: [rows, columns + 1]. */
export function scaled(
  { data, columns }: Matrix,
  { mean, factor }: Scaling,
  rows: readonly number[],
): Matrix {
  const width = columns + 1;
  const values = new Float64Array(rows.length * width).fill(1);
  for (const [i, row] of rows.entries())
    for (let j = 0; j < columns; j++) values[i * width + j] = factor * (data[row * columns + j] - mean[j]);
  return { data: values, rows: rows.length, columns: width };
}

/** W and b for the features as they were, with rows for classes without training images. */
function unscaled(
  { weights }: Solution,
  { mean, factor }: Scaling,
  trained: readonly number[],
  targets: number,
): Pick<Probe, 'weight' | 'bias'> {
  const columns = mean.length;
  const weight = new Float32Array(targets * columns);
  const bias = new Float32Array(targets).fill(absentBias);
  const biases = trained.map((label, k) => {
    let value = weights[(k + 1) * (columns + 1) - 1];
    for (let j = 0; j < columns; j++) {
      const w = factor * weights[k * (columns + 1) + j];
      weight[label * columns + j] = w;
      value -= w * mean[j];
    }
    return value;
  });
  const middle = biases.reduce((sum, value) => sum + value, 0) / biases.length;
  for (const [k, label] of trained.entries()) bias[label] = biases[k] - middle;
  return { weight, bias };
}
