/** Sentences that say what a comparison's numbers allow to be said, and no more. */
import type { Interval } from './contract.ts';
import type { TaskDescription } from './tasks/task.ts';

/** What a sentence needs to know of its test. */
interface Tested {
  difference: Interval;
  p: number;
  adjustedP: number | null;
  verdicts: number;
  distinguishable: boolean;
  reasons: readonly string[];
}

/** The task, and of how many test samples the sentence is. */
interface Over {
  task: TaskDescription;
  count: number;
}

/** Two trained networks; each `name` reads like `run 3 (finetune)`. */
export function networksVerdict(nameA: string, nameB: string, { task, count }: Over, tested: Tested): string {
  const [better, worse] = tested.difference.value > 0 ? [nameB, nameA] : [nameA, nameB];
  const these = `${count} test ${task.samples}`;
  if (tested.reasons.length > 0) {
    const numbers =
      tested.difference.value === 0
        ? `${capital(nameA)} and ${nameB} have the same ${task.score.title} on these ${these}`
        : `${capital(better)} has a higher ${task.score.title} on these ${these} than ${worse}`;
    return `${numbers}: ${figures(tested)}. The two are not like for like, so nothing follows about the methods: ${tested.reasons.join(' ')}`;
  }
  return tested.distinguishable
    ? `Of these two trained networks, ${better} is better than ${worse} on ${task.samples} like these ${these}: ${figures(tested)}. About the methods one seed says nothing sure; train both with more seeds.`
    : `These two trained networks, ${nameA} and ${nameB}, cannot be told apart on ${these}: ${figures(tested)}.`;
}

/** Two methods, that is, groups of runs over `seeds` ≥ 2 seeds. */
export function methodsVerdict(
  nameA: string,
  nameB: string,
  seeds: number,
  { task, count }: Over,
  tested: Tested,
): string {
  const over = `Over ${seeds} paired seeds and ${count} test ${task.samples}`;
  const [better, worse] = tested.difference.value > 0 ? [nameB, nameA] : [nameA, nameB];
  if (tested.reasons.length > 0) {
    const numbers =
      tested.difference.value === 0
        ? `${nameA} and ${nameB} have the same ${task.score.title}`
        : `${better} has a higher ${task.score.title} than ${worse}`;
    return `${over}, ${numbers}: ${figures(tested)}. The two are not like for like, so neither is called better: ${tested.reasons.join(' ')}`;
  }
  return tested.distinguishable
    ? `${over}, ${better} is better than ${worse}: ${figures(tested)}.`
    : `${over}, ${nameB} and ${nameA} cannot be told apart: ${figures(tested)}.`;
}

function figures({ difference, p, adjustedP, verdicts }: Tested): string {
  const adjusted =
    adjustedP !== null && verdicts > 1 ? `, ${shortP(adjustedP)} adjusted for ${verdicts} verdicts` : '';
  return `difference ${inPoints(difference)}, p = ${shortP(p)}${adjusted}`;
}

const shortP = (p: number): string => (p < 0.001 ? p.toExponential(0) : `${Number(p.toPrecision(2))}`);

const capital = (text: string): string => `${text[0].toUpperCase()}${text.slice(1)}`;

/** A difference of scores with its interval, in percentage points. */
function inPoints({ value, low, high }: Interval): string {
  const signed = (x: number) => {
    const digits = Math.abs(x * 100).toFixed(1);
    return digits === '0.0' ? '0.0' : `${x < 0 ? '−' : '+'}${digits}`;
  };
  return `${signed(value)} points, 95 % interval ${signed(low)} to ${signed(high)}`;
}
