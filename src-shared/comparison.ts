/** Comparing runs: what differs between them, image by image, and what the numbers allow to be said. */
import type { Comparison, Interval, PairComparison, PairDetail } from './contract.ts';
import { scoreEntities } from './entities.ts';
import { CotuneError } from './errors.ts';
import { compareGroups, judgeGroups, summarize } from './group-comparison.ts';
import { groupRuns } from './groups.ts';
import { holm } from './multiple-tests.ts';
import {
  type ComparedRun,
  type SharedImages,
  sharedImages,
  shareImageLists,
  unlikeness,
} from './paired-images.ts';
import { type Catalog, choiceLabel, methodName } from './parts.ts';
import { scoreDifference, scoreOf } from './run-scores.ts';
import { configDifferences } from './run-settings.ts';
import { level } from './statistics.ts';
import type { TaggedSentence } from './tagged-evaluation.ts';
import { taskNamed } from './tasks/index.ts';
import { networksVerdict } from './verdicts.ts';

/** Up to so many groups, every two are compared; of more, each with the first: their number grows as its square. */
const comparedWithEachOther = 64;

/** What groups are called. */
export interface Naming {
  /** By the titles of its methods, where there is one. */
  catalog?: Catalog;
  /** In verdicts, the group of a run, where that is known better than by its settings. */
  nameOf?(run: number): string | undefined;
}

/**
 * Compares finished runs: the first with each other one, and groups of runs that differ only in seed with each other. A
 * generator that yields often, within a few milliseconds each, so that many runs can be compared between other work. Throws
 * `bad-input` for a run without test predictions.
 */
export function* compareRuns(
  given: readonly ComparedRun[],
  { catalog, nameOf }: Naming = {},
): Generator<void, Comparison> {
  for (const one of given) checkPredicted(one);
  const runs = shareImageLists(given);
  const groups = groupRuns(
    runs.map(({ run }) => run),
    catalog,
  );
  const byRun = new Map(runs.map((one) => [one.run, one]));
  const members = groups.map((group) => group.runs.map((run) => byRun.get(run)!));
  const differences = [];
  const firsts = groups.length <= comparedWithEachOther ? groups.length : 1;
  for (let a = 0; a < firsts; a++)
    for (let b = a + 1; b < groups.length; b++) {
      const difference = compareGroups(members[a], a, members[b], b);
      if (difference) differences.push(difference);
      yield;
    }
  const pairs: Pair[] = [];
  for (const run of runs.slice(1)) {
    pairs.push(comparePair(runs[0], run));
    yield;
  }
  return {
    task: runs[0].run.task,
    groups: groups.map((group, i) => summarize(group, members[i])),
    differences: judgeGroups(
      differences,
      groups.map((group) => nameOf?.(group.runs[0].id) ?? group.name),
    ),
    pairs: judgePairs(pairs, catalog),
  };
}

/** Two runs with their classes. Throws `bad-input` for a run without test predictions. */
export function comparePairInDetail(a: ComparedRun, b: ComparedRun, catalog?: Catalog): PairDetail {
  checkPredicted(a);
  checkPredicted(b);
  const [pair] = judgePairs([comparePair(a, b)], catalog);
  return { ...pair, classes: classGains(a, b) };
}

function checkPredicted({ run, predictions }: ComparedRun): void {
  if (predictions.sampleIds.length > 0) return;
  throw new CotuneError(
    'bad-input',
    `Run ${run.id} (${run.status}) has no test predictions to compare.`,
    `Compare finished runs of datasets with test ${taskNamed(run.task).samples}.`,
  );
}

/** A pair before it is known how many verdicts stand beside its own. */
interface Pair {
  a: ComparedRun;
  b: ComparedRun;
  shared: SharedImages;
  reasons: string[];
  difference: Interval | null;
  p: number | null;
}

function comparePair(a: ComparedRun, b: ComparedRun): Pair {
  const shared = sharedImages(a.predictions, b.predictions);
  const images = shared.gains.length;
  const reasons = unlikeness(a, b, images);
  if (images === 0) return { a, b, shared, reasons, difference: null, p: null };
  const { p, ...difference } = scoreDifference(a, b, shared);
  return { a, b, shared, reasons, difference, p };
}

function judgePairs(pairs: readonly Pair[], catalog?: Catalog): PairComparison[] {
  const judged = pairs.filter(({ p, reasons }) => p !== null && reasons.length === 0);
  const adjusted = new Map(holm(judged.map(({ p }) => p!)).map((p, i) => [judged[i], p]));
  return pairs.map((pair) => {
    const { a, b, shared, reasons, difference, p } = pair;
    const adjustedP = adjusted.get(pair) ?? null;
    const test = {
      p,
      adjustedP,
      verdicts: judged.length,
      distinguishable: adjustedP !== null && adjustedP <= level,
      reasons,
    };
    const task = taskNamed(a.run.task);
    const over = { task, count: shared.gains.length };
    const named = ({ run }: ComparedRun) =>
      `run ${run.id} (${choiceLabel(methodName(run.config.method), catalog)})`;
    return {
      a: a.run.id,
      b: b.run.id,
      comparable: reasons.length === 0,
      configDifferences: configDifferences(a.run.config, b.run.config),
      accuracyA: scoreOf(a),
      accuracyB: scoreOf(b),
      difference,
      mcnemarP: p,
      fixed: shared.fixed,
      broken: shared.broken,
      ...test,
      about: adjustedP === null ? 'none' : 'networks',
      verdict:
        difference === null || p === null
          ? `The two runs share no test ${task.sample}, so nothing can be said about which is better.`
          : networksVerdict(named(a), named(b), over, { ...test, difference, p }),
    };
  });
}

function classGains(a: ComparedRun, b: ComparedRun): PairDetail['classes'] {
  const shared = sharedImages(a.predictions, b.predictions);
  if (a.predictions.tagged && b.predictions.tagged)
    return typeGains(
      Array.from(shared.inA, (at) => a.predictions.tagged![at]),
      Array.from(shared.inB, (at) => b.predictions.tagged![at]),
      b.classNames,
    );
  const counts = b.classNames.map(() => ({ support: 0, rightA: 0, rightB: 0 }));
  for (let k = 0; k < shared.gains.length; k++) {
    const [i, j] = [shared.inA[k], shared.inB[k]];
    const label = b.predictions.labels[j];
    const count = counts[label];
    count.support++;
    count.rightA += Number(a.predictions.predicted[i] === a.predictions.labels[i]);
    count.rightB += Number(b.predictions.predicted[j] === label);
  }
  return counts.map(({ support, rightA, rightB }, label) => {
    const share = (right: number) => (support === 0 ? null : right / support);
    return {
      name: b.classNames[label],
      support,
      recallA: share(rightA),
      recallB: share(rightB),
      gain: share(rightB - rightA),
    };
  });
}

/** The same of types of entities. */
function typeGains(
  a: readonly TaggedSentence[],
  b: readonly TaggedSentence[],
  types: readonly string[],
): PairDetail['classes'] {
  const recalls = (sentences: readonly TaggedSentence[]) =>
    scoreEntities(
      sentences.map(({ gold }) => gold),
      sentences.map(({ predicted }) => predicted),
    ).perType;
  const [inA, inB] = [recalls(a), recalls(b)];
  return types.map((name) => {
    const support = inB[name]?.gold ?? 0;
    const recall = (found: typeof inA) => (support === 0 ? null : found[name].recall);
    const [recallA, recallB] = [recall(inA), recall(inB)];
    return { name, support, recallA, recallB, gain: support === 0 ? null : recallB! - recallA! };
  });
}
