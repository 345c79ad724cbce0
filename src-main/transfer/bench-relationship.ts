import type { GridPoint } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Matrix } from '../../src-shared/matrix.ts';
import { type Random, randomOf } from '../data/random.ts';
import { openFixedMatrix } from '../engine/fixed-matrix.ts';
import { LogisticRegression } from './logistic-regression.ts';
import { learnRelationship } from './relationship.ts';
import { grid } from './reverse.ts';
import { softmaxRows } from './softmax.ts';

export interface RelationshipBench {
  samples: number;
  sources: number;
  targets: number;
  rounds: number;
  /** Seconds for the logistic regressions of all values of C: median, fastest and slowest round. */
  grid_s: { median: number; low: number; high: number };
  /** Seconds for the whole relationship, once: probabilities, grid, the chosen C solved tightly, calibration, Bayes. */
  whole_s: number;
  C: number;
  val_accuracy: number;
  grid: GridPoint[];
}

/** Logits of a source class's center, and of an image around its target's: standard deviations. */
const centerSpread = 2.2;
const imageSpread = 2;

/**
 * Measures relationship learning (reverse approach) on made-up logits: every target class has a center among the source
 * logits, and `samples` training images and a quarter as many validation images lie around the centers. Throws
 * `bad-input` where a target would be without an image.
 */
export async function benchRelationship(options: {
  samples: number;
  sources: number;
  targets: number;
  rounds?: number;
}): Promise<RelationshipBench> {
  const { samples, sources, targets, rounds = 3 } = options;
  if (targets < 2 || samples < 4 * targets)
    throw new CotuneError(
      'bad-input',
      `${samples} samples are too few for ${targets} target classes.`,
      'Take at least two targets and four samples for each.',
    );
  const next = normalOf(randomOf(7));
  const centers = Float32Array.from({ length: targets * sources }, () => centerSpread * next());
  const train = imagesAround(centers, targets, samples, next);
  const val = imagesAround(centers, targets, Math.floor(samples / 4), next);

  const probabilities = softmaxRows(train.logits, 1);
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const from = performance.now();
    const x = await openFixedMatrix(probabilities, targets);
    await new LogisticRegression(x, probabilities.data, train.labels, targets).path(grid);
    await x.dispose();
    seconds.push((performance.now() - from) / 1000);
  }
  seconds.sort((a, b) => a - b);

  const from = performance.now();
  const learned = await learnRelationship({
    approach: 'reverse',
    trainLogits: train.logits,
    trainLabels: train.labels,
    valLogits: val.logits,
    valLabels: val.labels,
    targets,
    sourceScale: 1,
  });
  return {
    samples,
    sources,
    targets,
    rounds,
    grid_s: { median: seconds[rounds >> 1], low: seconds[0], high: seconds[rounds - 1] },
    whole_s: (performance.now() - from) / 1000,
    C: learned.C!,
    val_accuracy: learned.valAccuracy!,
    grid: learned.grid,
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
