import type { RelationshipBench } from '../../src-shared/bench.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { spreadOf } from '../../src-shared/spread.ts';
import { type Random, randomOf } from '../data/random.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';
import { softmaxRows } from '../engine/softmax-rows.ts';
import { LogisticRegression } from '../transfer/logistic-regression.ts';
import { type Learned, learnRelationship } from '../transfer/relationship.ts';
import { grid } from '../transfer/reverse.ts';

/** Logits of a source class's center, and of an image around its target's: standard deviations. */
const centerSpread = 2.2;
const imageSpread = 2;

/**
 * Measures relationship learning (reverse approach) on made-up logits: every target class has a center among the source
 * logits, and `samples` training images and a quarter as many validation images lie around the centers. Throws
 * `bad-input` where a target would be without an image. `onRound` is told the rounds done and may throw to end it.
 */
export async function benchRelationship(
  options: { samples: number; sources: number; targets: number; rounds: number },
  onRound: (done: number) => void = () => {},
): Promise<RelationshipBench> {
  const { samples, sources, targets, rounds } = options;
  if (targets < 2 || samples < 4 * targets)
    throw new CotuneError(
      'bad-input',
      `${samples} samples are too few for ${targets} target classes.`,
      'Take at least two targets and four samples for each.',
    );
  const next = normalOf(randomOf(7, 'bench relationship'));
  const centers = Float32Array.from({ length: targets * sources }, () => centerSpread * next());
  const train = imagesAround(centers, targets, samples, next);
  const val = imagesAround(centers, targets, Math.floor(samples / 4), next);

  const probabilities = await softmaxRows(train.logits, 1);
  const gridSeconds: number[] = [];
  const wholeSeconds: number[] = [];
  let learned: Learned | undefined;
  for (let round = 0; round < rounds; round++) {
    onRound(round);
    const started = performance.now();
    const x = openFixedMatrix(probabilities, targets);
    const problem = new LogisticRegression(x, train.labels, targets);
    for await (const _ of problem.path(grid));
    await problem.dispose();
    await x.dispose();
    const solved = performance.now();
    learned = await learnRelationship({
      approach: 'reverse',
      trainLogits: train.logits,
      trainLabels: train.labels,
      valLogits: val.logits,
      valLabels: val.labels,
      targets,
      sourceScale: 1,
    });
    gridSeconds.push((solved - started) / 1000);
    wholeSeconds.push((performance.now() - solved) / 1000);
  }
  const { C, valAccuracy, grid: points } = learned!;
  return {
    bench: 'relationship',
    samples,
    sources,
    targets,
    rounds,
    grid_s: spreadOf(gridSeconds),
    whole_s: spreadOf(wholeSeconds),
    C: C!,
    val_accuracy: valAccuracy!,
    grid: points,
  };
}

/** Standard normal numbers (Box and Muller 1958). */
const normalOf = (random: Random) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

function imagesAround(centers: Float32Array, targets: number, rows: number, next: () => number) {
  const columns = centers.length / targets;
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let s = 0; s < columns; s++)
      data[i * columns + s] = centers[(i % targets) * columns + s] + imageSpread * next();
  const logits: Matrix = { data, rows, columns };
  return { logits, labels: Int32Array.from({ length: rows }, (_, i) => i % targets) };
}
