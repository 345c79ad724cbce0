/** Two runs over the same images: which those are, who is right on them, and why the two may not be like for like. */
import type { Run } from './domain.ts';
import type { EntityCounts } from './entities.ts';
import { hasSteps, usedEngine } from './run-settings.ts';
import type { TaggedSentence } from './tagged-evaluation.ts';
import { taskNamed } from './tasks/index.ts';

/** A run with its predictions on the test split, in ascending order of the images' ids. */
export interface ComparedRun {
  run: Run;
  classNames: string[];
  /** How the network's input is made from pixels; null where that is not known any more. */
  preprocessing: object | null;
  predictions: Outcomes;
}

export interface Outcomes {
  sampleIds: ArrayLike<number>;
  labels: ArrayLike<number>;
  predicted: ArrayLike<number>;
  /** Of tagged texts: the tags that each has and that were predicted, and its entities. */
  tagged?: readonly TaggedSentence[];
  entities?: readonly EntityCounts[];
}

/** Where two runs meet: for every image that both predicted, its id, its place in a's and b's predictions and its gain. */
export interface SharedImages {
  ids: ArrayLike<number>;
  inA: ArrayLike<number>;
  inB: ArrayLike<number>;
  /** 1 where only b is right, −1 where only a is, else 0. */
  gains: Int8Array;
  /** Images that only b has right. */
  fixed: number;
  /** Images that only a has right. */
  broken: number;
}

/** Lets runs over the same images hold the same list of them, so that pairs need no search for what they share. */
export function shareImageLists(runs: readonly ComparedRun[]): ComparedRun[] {
  const lists: ArrayLike<number>[] = [];
  return runs.map((one) => {
    const { sampleIds } = one.predictions;
    let known = lists.find((list) => isEqual(list, sampleIds));
    if (!known) {
      known = sampleIds;
      lists.push(known);
    }
    return { ...one, predictions: { ...one.predictions, sampleIds: known } };
  });
}

function isEqual(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function sharedImages(a: Outcomes, b: Outcomes): SharedImages {
  const { ids, inA, inB } = meet(a.sampleIds, b.sampleIds);
  const gains = new Int8Array(ids.length);
  let [fixed, broken] = [0, 0];
  for (let k = 0; k < gains.length; k++) {
    const [i, j] = [inA[k], inB[k]];
    const gain = Number(b.predicted[j] === b.labels[j]) - Number(a.predicted[i] === a.labels[i]);
    if (gain > 0) fixed++;
    if (gain < 0) broken++;
    gains[k] = gain;
  }
  return { ids, inA, inB, gains, fixed, broken };
}

/** Places of the common members of two ascending lists. */
function meet(a: ArrayLike<number>, b: ArrayLike<number>): Pick<SharedImages, 'ids' | 'inA' | 'inB'> {
  if (isEqual(a, b)) {
    const places = new Int32Array(a.length);
    for (let i = 0; i < places.length; i++) places[i] = i;
    return { ids: a, inA: places, inB: places };
  }
  const [ids, inA, inB]: number[][] = [[], [], []];
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const order = a[i] - b[j];
    if (order === 0) {
      ids.push(a[i]);
      inA.push(i);
      inB.push(j);
    }
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return { ids, inA, inB };
}

/** How many predictions are right. */
export function hits({ predictions: { labels, predicted } }: ComparedRun): number {
  let right = 0;
  for (let i = 0; i < labels.length; i++) right += Number(labels[i] === predicted[i]);
  return right;
}

/** Why a difference between two runs cannot be put down to the method; empty where they are like for like. */
export function unlikeness(a: ComparedRun, b: ComparedRun, shared: number): string[] {
  const reasons: string[] = [];
  const [first, second] = [a.run, b.run];
  /** Both runs' values where they differ. */
  const differing = (value: (run: Run) => unknown): [unknown, unknown] | null => {
    const [inA, inB] = [value(first), value(second)];
    return JSON.stringify(inA) === JSON.stringify(inB) ? null : [inA, inB];
  };
  const say = (value: (run: Run) => unknown, sentence: (inA: unknown, inB: unknown) => string): void => {
    const values = differing(value);
    if (values) reasons.push(sentence(...values));
  };
  const [inA, inB] = [a.predictions.labels.length, b.predictions.labels.length];
  const rate = ({ config }: Run) => config.rate;
  const seed = ({ config }: Run) => config.seed;
  const { sample, samples, takes } = taskNamed(first.task);

  if (shared === 0) reasons.push(`The runs share no test ${sample}.`);
  else if (shared < inA || shared < inB)
    reasons.push(`Only ${shared} test ${samples} are shared, of ${inA} and ${inB}.`);
  say(
    (run) => run.datasetHash,
    () => 'The datasets differ, or the dataset changed between the runs.',
  );
  say(
    (run) => run.modelHash,
    () => 'They start from different pre-trained networks.',
  );
  if (
    a.preprocessing &&
    b.preprocessing &&
    JSON.stringify(a.preprocessing) !== JSON.stringify(b.preprocessing)
  )
    reasons.push('Pixels are made into network input in different ways.');
  say(
    ({ config }) => config.resize?.name,
    (x, y) => `Pictures become the input differently: by ${x} and by ${y}.`,
  );
  say(
    ({ config }) => config.evaluation?.name,
    (x, y) => `They are tested on different views of the images: ${x} and ${y}.`,
  );
  say(rate, (x, y) => `The rates differ: ${x} and ${y} of the training ${samples}.`);
  say(seed, (x, y) => `The seeds differ: ${x} and ${y}.`);
  if (first.splitHash !== second.splitHash && !differing(rate) && !differing(seed))
    reasons.push(`They were trained, validated or tested on different ${samples}.`);
  say(
    ({ config }) => config.size,
    (x, y) =>
      takes === 'images'
        ? `The image sizes differ: ${x} and ${y} pixels.`
        : `The longest texts differ: ${x} and ${y} pieces.`,
  );
  // What is solved in closed form has no budget to be given alike.
  if (hasSteps(first.config) && hasSteps(second.config)) {
    say(
      ({ config }) => `${config.steps} steps of ${config.batch} ${samples}`,
      (x, y) => `The budgets differ: ${x} and ${y}.`,
    );
    say(selection, (x, y) => `The tested weights are chosen differently: ${x} and ${y}.`);
  }
  say(usedEngine, (x, y) => `The engines differ: ${x} and ${y}.`);
  say(
    ({ config }) => config.precision,
    (x, y) => `The precisions differ: ${x} and ${y}.`,
  );
  return reasons;
}

const selection = ({ config }: Run): string =>
  config.select === 'last'
    ? 'those of the last step'
    : `the best of every ${config.evaluateEvery || config.steps} steps`;
