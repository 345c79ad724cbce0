/**
 * How far an experiment is and what it needs next, from what is on record: the same facts give the same answer, whoever asks,
 * after whatever break. A cell is one method at one rate.
 */
import { type Round, survivors } from './search.ts';

/** Which run of an experiment; no two have the same. */
export interface TrialKey {
  /** Place in the plan's list of methods. */
  method: number;
  rate: number;
  purpose: 'tune' | 'final';
  /** Round of the search, from 0; 0 for final trials. */
  round: number;
  /** Place among the settings that are tried. */
  setting: number;
  seed: number;
}

/** What came of a trial. A training that diverged has told what its setting is worth; one that broke has not. */
export type Outcome =
  | { state: 'pending' | 'diverged' | 'broken' }
  | { state: 'done'; accuracy: number; nll: number };

export interface Trial extends TrialKey {
  outcome: Outcome;
}

/** What a cell is to go through. */
export interface CellPlan {
  method: number;
  rate: number;
  /** Rounds of its search; none where there is nothing to choose. */
  rounds: readonly Round[];
  /** It chooses for itself and is trained before anything else. */
  isBaseline: boolean;
}

export interface Cell extends CellPlan {
  /**
   * `searching`: something of its search is pending or to be planned; `broken`: something of it did not end and has to be tried
   * again; `hopeless`: every setting diverged.
   */
  state: 'searching' | 'broken' | 'hopeless' | 'chosen';
  /** The setting chosen. */
  chosen: number | null;
  /** By round that has begun, the settings in it. */
  entered: number[][];
  /** Trials of its search that are to be planned. */
  missing: TrialKey[];
}

interface Given {
  cells: readonly CellPlan[];
  seeds: readonly number[];
  trials: readonly Trial[];
}

/** Every cell as its trials leave it. Settings are tried on the first seed. */
export function deriveCells({ cells, seeds, trials }: Given): Cell[] {
  const found = new Map(trials.map((trial) => [keyOf(trial), trial.outcome]));
  return cells.map((cell) => deriveCell(cell, seeds[0], found));
}

function deriveCell(plan: CellPlan, seed: number, found: ReadonlyMap<string, Outcome>): Cell {
  const cell: Cell = { ...plan, state: 'searching', chosen: null, entered: [], missing: [] };
  const { method, rate, rounds } = plan;
  let left = rounds.length === 0 ? [0] : Array.from({ length: rounds[0].settings }, (_, setting) => setting);
  for (const round of rounds.keys()) {
    cell.entered.push(left);
    const outcomes = left.map((setting) => {
      const key: TrialKey = { method, rate, purpose: 'tune', round, setting, seed };
      const outcome = found.get(keyOf(key));
      if (!outcome) cell.missing.push(key);
      return { setting, outcome };
    });
    const states = outcomes.map(({ outcome }) => outcome?.state);
    if (states.includes(undefined) || states.includes('pending')) return cell;
    if (states.includes('broken')) return { ...cell, state: 'broken' };
    const ranked = outcomes
      .flatMap(({ setting, outcome }) => (outcome?.state === 'done' ? [{ setting, ...outcome }] : []))
      .sort((a, b) => b.accuracy - a.accuracy || a.nll - b.nll || a.setting - b.setting);
    if (ranked.length === 0) return { ...cell, state: 'hopeless' };
    const isLast = round === rounds.length - 1;
    left = ranked.slice(0, isLast ? 1 : survivors(left.length)).map(({ setting }) => setting);
    if (left.length === 1) break;
  }
  return { ...cell, state: 'chosen', chosen: left[0] };
}

/** The runs that the chosen setting of a cell is judged by. */
const finalsOf = ({ method, rate, chosen }: Cell, seed: number): TrialKey => ({
  method,
  rate,
  purpose: 'final',
  round: 0,
  setting: chosen!,
  seed,
});

/**
 * Trials that are to be planned now, in the order in which they are to run: baselines first; then rate after rate, so that what is
 * there early is a whole comparison: all searches of a rate, then seed after seed, the methods there and back (two runs that
 * follow each other share a compiled step). Without a search everything is known at once, and seeds stay outermost.
 */
export function nextTrials({ cells: plans, seeds, trials }: Given): TrialKey[] {
  const cells = deriveCells({ cells: plans, seeds, trials });
  const found = new Map(trials.map((trial) => [keyOf(trial), trial.outcome]));
  const isNew = (key: TrialKey) => !found.has(keyOf(key));
  const isOver = (key: TrialKey) => found.has(keyOf(key)) && found.get(keyOf(key))!.state !== 'pending';
  const finals = (some: readonly Cell[], seed: number) =>
    some.filter(({ state }) => state === 'chosen').map((cell) => finalsOf(cell, seed));
  const thereAndBack = (index: number, some: readonly Cell[]) => (index % 2 === 0 ? some : some.toReversed());

  const baselines = cells.filter(({ isBaseline }) => isBaseline);
  const next = seeds.flatMap((seed) => finals(baselines, seed)).filter(isNew);
  const others = cells.filter(({ isBaseline }) => !isBaseline);
  const rates = [...new Set(others.map(({ rate }) => rate))];
  if (others.every(({ rounds }) => rounds.length === 0)) {
    const pairs = seeds.flatMap((seed) => rates.map((rate) => ({ seed, rate })));
    const all = pairs.flatMap(({ seed, rate }, index) =>
      finals(
        thereAndBack(
          index,
          others.filter((cell) => cell.rate === rate),
        ),
        seed,
      ),
    );
    return [...next, ...all.filter(isNew)];
  }
  for (const rate of rates) {
    const here = others.filter((cell) => cell.rate === rate);
    next.push(...here.flatMap(({ missing }) => missing));
    if (here.some(({ state }) => state === 'searching')) break;
    const judged = seeds.flatMap((seed, index) => finals(thereAndBack(index, here), seed));
    next.push(...judged.filter(isNew));
    if (!judged.every(isOver)) break;
  }
  return next;
}

/** Whether all that can come of a plan is there; what broke may still be tried again. */
export function isFinished({ cells, seeds, trials }: Given): boolean {
  const found = new Map(trials.map((trial) => [keyOf(trial), trial.outcome]));
  return deriveCells({ cells, seeds, trials }).every(
    (cell) =>
      cell.state === 'hopeless' ||
      (cell.state === 'chosen' &&
        seeds.every((seed) =>
          ['done', 'diverged'].includes(found.get(keyOf(finalsOf(cell, seed)))?.state ?? ''),
        )),
  );
}

const keyOf = ({ method, rate, purpose, round, setting, seed }: TrialKey): string =>
  JSON.stringify([method, rate, purpose, round, setting, seed]);
