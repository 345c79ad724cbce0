/** Learning the relationship p(y_s | y_t) between source and target categories (You et al., NeurIPS 2020, section 4). */
import type { Approach, GridPoint } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { softmaxRows } from '../engine/softmax-rows.ts';
import { classMeans } from './direct.ts';
import { fitReverse, type Labeled } from './reverse.ts';

export interface RelationshipInput {
  approach: Approach;
  /** Source logits [images, sources] of the pre-trained network. */
  trainLogits: Matrix;
  /** Target labels below `targets`. */
  trainLabels: Int32Array;
  /** The validation part; the direct approach takes it where there is one. */
  valLogits: Matrix;
  valLabels: Int32Array;
  targets: number;
  /** Names of the target classes, for the notes; their numbers stand in where there are none. */
  classNames?: readonly string[] | null;
  /** Multiplies the source logits: 1 / temperature. */
  sourceScale: number;
  /** What a sample is called, and several, for the notes; images where it is left out. */
  called?: { sample: string; samples: string };
}

const images = { sample: 'image', samples: 'images' };

export interface Learned {
  /** p(y_s | y_t), row-major [targets, sources]; every row sums to 1. */
  matrix: Float64Array;
  /** Chosen inverse regularization, calibration scale and validation accuracy; null for the direct approach. */
  C: number | null;
  scale: number | null;
  valAccuracy: number | null;
  /** Every C that was tried, from the largest. */
  grid: GridPoint[];
  /** What a person should know about single rows. */
  notes: string[];
}

/** Beyond this many elements a matrix comes from a wrong label rather than from a real problem. */
const largestMatrix = 2 ** 27;

/**
 * Learns the relationship. A target class without a training image takes no part in the regression of the reverse
 * approach; its row is the mean source prediction of its validation images or, where it has none either, the mean over
 * all images, and a note says so. Throws `bad-input` where sizes disagree, a label is out of range, a logit is not
 * finite, fewer than two classes have training images, or the reverse approach has no validation image to choose by.
 */
export async function learnRelationship(input: RelationshipInput): Promise<Learned> {
  check(input);
  const { targets, valLabels, trainLabels, approach } = input;
  const probabilities = (logits: Matrix) => softmaxRows(logits, input.sourceScale);
  const train = { probabilities: await probabilities(input.trainLogits), labels: trainLabels };
  const val = { probabilities: await probabilities(input.valLogits), labels: valLabels };
  const sources = train.probabilities.columns;
  const parts = [train, val].filter(({ labels }) => labels.length > 0);
  const direct = classMeans(parts, targets);
  const marginal = overallMean(direct, [...trainLabels, ...valLabels], sources);
  const trained = [...new Set(trainLabels)].sort((a, b) => a - b);

  const rows = direct.map((row) => row ?? marginal);
  const { called = images } = input;
  const fit = approach === 'reverse' ? await reverseOf(train, val, trained, marginal, called) : null;
  for (const [i, label] of trained.entries()) if (fit) rows[label] = fit.rows[i];

  const matrix = new Float64Array(targets * sources);
  for (const [k, row] of rows.entries()) matrix.set(row, k * sources);
  const { C = null, scale = null, valAccuracy = null, grid = [] } = fit ?? {};
  return { matrix, C, scale, valAccuracy, grid, notes: notesOf(input, direct, new Set(trained)) };
}

/** p(y_s) [sources]: the mean over all `labels`, of which every class has a mean. */
function overallMean(
  means: (Float64Array | null)[],
  labels: readonly number[],
  sources: number,
): Float64Array {
  const counts = new Float64Array(means.length);
  for (const label of labels) counts[label]++;
  const overall = new Float64Array(sources);
  for (const [k, mean] of means.entries())
    if (mean) for (let s = 0; s < sources; s++) overall[s] += (counts[k] / labels.length) * mean[s];
  return overall;
}

/** The reverse approach over the classes that have training images, renumbered without gaps. */
async function reverseOf(
  train: Labeled,
  val: Labeled,
  trained: number[],
  marginal: Float64Array,
  { sample, samples }: typeof images,
) {
  const compact = new Map(trained.map((label, i) => [label, i]));
  const known = [...val.labels.keys()].filter((i) => compact.has(val.labels[i]));
  if (known.length === 0)
    throw new CotuneError(
      'bad-input',
      val.labels.length === 0
        ? 'The validation part is empty, and the reverse approach chooses C and its calibration on it.'
        : `No validation ${sample} is of a class that has training ${samples}, so the reverse approach cannot choose C.`,
      `Set validation ${samples} aside, or use the direct approach, which needs none.`,
    );
  const renumber = (labels: Int32Array) => labels.map((label) => compact.get(label)!);
  const fit = await fitReverse(
    { probabilities: train.probabilities, labels: renumber(train.labels) },
    {
      probabilities: selectRows(val.probabilities, known),
      labels: renumber(Int32Array.from(known, (i) => val.labels[i])),
    },
    trained.length,
    marginal,
  );
  // Validation images of other classes cannot be right: they lower every accuracy alike, and the choice stays.
  const share = known.length / val.labels.length;
  const grid = fit.grid.map((point) => ({ ...point, val_accuracy: point.val_accuracy * share }));
  return { ...fit, valAccuracy: fit.valAccuracy * share, grid };
}

function notesOf(
  { targets, approach, classNames, called: { sample, samples } = images }: RelationshipInput,
  direct: (Float64Array | null)[],
  trained: Set<number>,
): string[] {
  return Array.from({ length: targets }, (_, k) => k).flatMap((k) => {
    const name = classNames?.[k] === undefined ? `Target class ${k}` : `The target class "${classNames[k]}"`;
    if (!direct[k])
      return [`${name} has no ${sample}: its row is the mean source prediction of all ${samples}.`];
    if (approach === 'direct' || trained.has(k)) return [];
    return [
      `${name} has no training ${sample}: its row is the mean source prediction of its validation ${samples}.`,
    ];
  });
}

function check({
  trainLogits,
  trainLabels,
  valLogits,
  valLabels,
  targets,
  sourceScale,
  approach,
}: RelationshipInput): void {
  const refuse = (message: string, hint = '') => new CotuneError('bad-input', message, hint);
  if (!(sourceScale > 0 && Number.isFinite(sourceScale)))
    throw refuse(
      `The source scale is ${sourceScale}; it has to be a positive number.`,
      'It is 1 / temperature.',
    );
  if (valLogits.rows > 0 && trainLogits.columns !== valLogits.columns)
    throw refuse(
      `The training logits have ${trainLogits.columns} source classes, the validation logits ${valLogits.columns}.`,
      'Both must come from the same network.',
    );
  if (trainLogits.columns < 1 || targets * trainLogits.columns > largestMatrix)
    throw refuse(
      `${targets} target and ${trainLogits.columns} source classes make no matrix that can be learned.`,
    );
  for (const [part, logits, labels] of [
    ['training', trainLogits, trainLabels],
    ['validation', valLogits, valLabels],
  ] as const) {
    if (logits.rows !== labels.length || logits.data.length !== logits.rows * logits.columns)
      throw refuse(
        `There are ${labels.length} ${part} labels for ${logits.rows} rows of logits.`,
        'Give one label per row.',
      );
    const outside = labels.findIndex((label) => !(label >= 0 && label < targets));
    if (outside >= 0)
      throw refuse(
        `Label ${labels[outside]} of ${part} row ${outside} is none of the ${targets} target classes.`,
        'Classes are counted from 0.',
      );
    const broken = firstNotFinite(logits.data);
    if (broken >= 0)
      throw refuse(
        `The ${part} logits hold ${logits.data[broken]} in row ${Math.floor(broken / logits.columns)}, column ${broken % logits.columns}.`,
        'The network, or what is behind that row, is broken.',
      );
  }
  const classes = new Set(trainLabels).size;
  // Of a single category there is one distribution; a regression needs something to tell apart.
  const fewest = approach === 'direct' ? Math.min(2, targets) : 2;
  if (classes < fewest)
    throw refuse(
      `The training samples are of ${classes} target class${classes === 1 ? '' : 'es'}; a relationship needs two.`,
      approach === 'reverse' && targets < 2 ? 'Choose the direct approach.' : 'Add samples of another class.',
    );
}

/** Where it is, −1 where there is none. */
function firstNotFinite(values: Matrix['data']): number {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return i;
  return -1;
}

function selectRows({ data, columns }: Matrix, rows: number[]): Matrix {
  const out = new Float64Array(rows.length * columns);
  for (const [i, row] of rows.entries())
    out.set(data.subarray(row * columns, (row + 1) * columns), i * columns);
  return { data: out, rows: rows.length, columns };
}
