/**
 * Two runs over the same sentences by their entities: F1 is no mean over sentences, so that what is resampled are sentences with
 * their counts. `a` and `b` hold a sentence's counts at the same place.
 */
import type { EntityCounts } from './entities.ts';
import type { NetworkDifference } from './paired-networks.ts';
import { repeatableRandom } from './repeatable-random.ts';
import { level } from './statistics.ts';

/** Draws of as many sentences, with replacement. */
const resamples = 2000;
/** Draws of who made which prediction: with so many, p = 0.05 is known to 0.002. */
const shuffles = 9999;

/**
 * F1 of b less that of a, its interval and its p-value. The interval is the bootstrap's percentile interval over sentences (Efron and
 * Tibshirani 1993, chapter 13), extended to zero where the test does not exclude zero. The test is approximate randomization: were
 * the two networks alike, any sentence's predictions could as well be the other's (Noreen 1989; Yeh, «More accurate tests for the
 * statistical significance of result differences», COLING 2000). The same counts give the same numbers.
 */
export function entityDifference(a: readonly EntityCounts[], b: readonly EntityCounts[]): NetworkDifference {
  const counts = columnsOf(a, b);
  const value = differenceOf(totalsOf(counts));
  const p = randomized(counts, value);
  let [low, high] = resampled(counts);
  if (p > level) [low, high] = [Math.min(low, 0), Math.max(high, 0)];
  return { value, low, high, p };
}

/** F1 over all of some sentences. */
export function f1Of(sentences: readonly EntityCounts[]): number {
  const { correct, both } = sumsOf(sentences);
  return ratioOf(correct, both);
}

/** 95 % bootstrap interval of F1 over sentences. */
export const f1Interval = (sentences: readonly EntityCounts[]): [low: number, high: number] =>
  // Against predictions of nothing, whose F1 is 0.
  resampled(
    columnsOf(
      sentences.map(() => ({ gold: 0, predicted: 0, correct: 0 })),
      sentences,
    ),
  );

/**
 * What each sentence adds to F1 of b less that of a: numbers whose mean is that difference, so that what is known of means over seeds and
 * samples holds for them (`methodDifference`). Pseudo-values of the infinitesimal jackknife: F1 = 2 Σc / Σ(g + p) has the derivative
 * (2 c_i − F1 (g_i + p_i)) / Σ(g + p) by the weight of sentence i. Efron, «The Jackknife, the Bootstrap and Other Resampling Plans»,
 * 1982, chapter 6.
 */
export function entityGains(a: readonly EntityCounts[], b: readonly EntityCounts[]): Float64Array {
  const [ofA, ofB] = [pseudoValues(a), pseudoValues(b)];
  return ofB.map((value, sentence) => value - ofA[sentence]);
}

function pseudoValues(sentences: readonly EntityCounts[]): Float64Array {
  const { correct, both } = sumsOf(sentences);
  const f1 = ratioOf(correct, both);
  return Float64Array.from(sentences, (one) =>
    both === 0 ? 0 : f1 + (sentences.length * (2 * one.correct - f1 * (one.gold + one.predicted))) / both,
  );
}

function sumsOf(sentences: readonly EntityCounts[]): { correct: number; both: number } {
  let [correct, both] = [0, 0];
  for (const one of sentences) {
    correct += one.correct;
    both += one.gold + one.predicted;
  }
  return { correct, both };
}

/** `both` is how many entities are there and how many are predicted. */
const ratioOf = (correct: number, both: number): number => (both === 0 ? 0 : (2 * correct) / both);

/** Correct entities and those that F1 divides them by, of a and of b: of every sentence, or together. */
type Columns = readonly [correctA: Int32Array, bothA: Int32Array, correctB: Int32Array, bothB: Int32Array];
type Totals = [correctA: number, bothA: number, correctB: number, bothB: number];

function columnsOf(a: readonly EntityCounts[], b: readonly EntityCounts[]): Columns {
  const correct = (of: readonly EntityCounts[]) => Int32Array.from(of, (one) => one.correct);
  const both = (of: readonly EntityCounts[]) => Int32Array.from(of, (one) => one.gold + one.predicted);
  return [correct(a), both(a), correct(b), both(b)];
}

const totalsOf = (counts: Columns): Totals =>
  counts.map((column) => column.reduce((sum, value) => sum + value, 0)) as Totals;

const differenceOf = ([correctA, bothA, correctB, bothB]: Readonly<Totals>): number =>
  ratioOf(correctB, bothB) - ratioOf(correctA, bothA);

function resampled([correctA, bothA, correctB, bothB]: Columns): [low: number, high: number] {
  const random = repeatableRandom(1);
  const sentences = correctA.length;
  const found = Float64Array.from({ length: resamples }, () => {
    const totals: Totals = [0, 0, 0, 0];
    for (let drawn = 0; drawn < sentences; drawn++) {
      const at = Math.floor(random() * sentences);
      totals[0] += correctA[at];
      totals[1] += bothA[at];
      totals[2] += correctB[at];
      totals[3] += bothB[at];
    }
    return differenceOf(totals);
  }).sort();
  return [found[Math.floor(0.025 * resamples)], found[Math.ceil(0.975 * resamples) - 1]];
}

/** The share of exchanges that tell the two at least as far apart, with the one that was seen. */
function randomized(counts: Columns, seen: number): number {
  const [correctA, bothA, correctB, bothB] = counts;
  // Of sentences that both count alike no exchange is noticed.
  const differing = [...correctA.keys()].filter(
    (at) => correctA[at] !== correctB[at] || bothA[at] !== bothB[at],
  );
  const random = repeatableRandom(2);
  const [allCorrectA, allBothA, allCorrectB, allBothB] = totalsOf(counts);
  // Sums in another order: as far apart is not always so to the last bit.
  const atLeast = Math.abs(seen) - 1e-12;
  let asFar = 1;
  for (let shuffle = 0; shuffle < shuffles; shuffle++) {
    let [correct, both] = [0, 0];
    for (const at of differing) {
      if (random() < 0.5) continue;
      correct += correctB[at] - correctA[at];
      both += bothB[at] - bothA[at];
    }
    const exchanged = differenceOf([
      allCorrectA + correct,
      allBothA + both,
      allCorrectB - correct,
      allBothB - both,
    ]);
    if (Math.abs(exchanged) >= atLeast) asFar++;
  }
  return asFar / (shuffles + 1);
}
