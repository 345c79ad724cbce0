/** Comparing runs: what differs between them, image by image, and what the numbers allow to be said. */
import type { Comparison, Interval, PairComparison } from './contract.ts';
import { CotuneError } from './errors.ts';
import { compareGroups, groupBySettings } from './group-comparison.ts';
import {
  accuracy,
  type ComparedRun,
  configDifferences,
  excludesZero,
  gain,
  inPoints,
  type SharedImage,
  sharedImages,
  unlikeness,
} from './paired-images.ts';
import { bootstrapMean, mcnemar, meanAndSd } from './statistics.ts';

/**
 * Compares finished runs: the first with each other one, and, where runs differ only in seed, group with group. Throws
 * `bad-input` for a run without test predictions.
 */
export function compareRuns(runs: readonly ComparedRun[]): Comparison {
  for (const { run, predictions } of runs)
    if (predictions.length === 0)
      throw new CotuneError(
        'bad-input',
        `Run ${run.id} (${run.status}) has no test predictions to compare.`,
        'Compare finished runs of datasets with test images.',
      );
  const groups = groupBySettings(runs);
  return {
    groups: groups.map((group) => group.summary),
    differences: groups.flatMap((first, a) =>
      groups.slice(a + 1).flatMap((second, i) => compareGroups(first, a, second, a + 1 + i)),
    ),
    pairs: runs.slice(1).map((run) => comparePair(runs[0], run)),
  };
}

/** Run `b` against run `a` over the test images that both predicted. */
function comparePair(a: ComparedRun, b: ComparedRun): PairComparison {
  const shared = sharedImages(a, b);
  const gains = shared.map(gain);
  const difference = gains.length === 0 ? null : withInterval(gains, bootstrapMean(gains));
  const reasons = unlikeness(a, b, shared.length);
  const changed = (direction: number) => shared.filter((_, i) => gains[i] === direction);
  const fixed = changed(1);
  const broken = changed(-1);
  const distinguishable = difference !== null && excludesZero(difference);
  return {
    a: a.run.id,
    b: b.run.id,
    comparable: reasons.length === 0,
    reasons,
    configDifferences: configDifferences(a.run.config, b.run.config),
    accuracyA: accuracy(a),
    accuracyB: accuracy(b),
    difference,
    mcnemarP: difference && mcnemar(broken.length, fixed.length),
    distinguishable,
    verdict: pairVerdict(a, b, difference, shared.length),
    classes: a.classNames.map((name, label) => classGain(name, label, shared)),
    fixed,
    broken,
  };
}

const withInterval = (values: readonly number[], [low, high]: [number, number]): Interval => ({
  value: meanAndSd(values).mean,
  low,
  high,
});

function classGain(name: string, label: number, shared: SharedImage[]): PairComparison['classes'][number] {
  const images = shared.filter(({ sample }) => sample.label === label);
  const share = (right: (image: SharedImage) => boolean) =>
    images.length === 0 ? 0 : images.filter(right).length / images.length;
  const recallA = share(({ predictedA }) => predictedA === label);
  const recallB = share(({ predictedB }) => predictedB === label);
  return { name, support: images.length, recallA, recallB, gain: recallB - recallA };
}

function pairVerdict(a: ComparedRun, b: ComparedRun, difference: Interval | null, images: number): string {
  if (!difference) return 'The two runs share no test image, so nothing can be said about which is better.';
  const figures = `difference ${inPoints(difference)}`;
  if (!excludesZero(difference))
    return `The two runs cannot be told apart on these ${images} test images: ${figures}.`;
  const [better, worse] = difference.value > 0 ? [b, a] : [a, b];
  const named = ({ run }: ComparedRun) => `Run ${run.id} (${run.config.method})`;
  return `${named(better)} is better than ${named(worse).toLowerCase()} on these ${images} test images: ${figures}; other seeds may say otherwise.`;
}
