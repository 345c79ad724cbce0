import type { Experiment } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import type { CellPlan, Outcome, Trial } from '../../src-shared/experiment-cells.ts';
import { type Catalog, namesOfChoice } from '../../src-shared/parts.ts';
import { hasStrength, roundsOf, type Setting, settingsOf } from '../../src-shared/search.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Store } from '../store/store.ts';
import type { WantedRun } from './plan-runs.ts';

type Plan = Experiment['plan'];

/** A trial with its run, which is null where it was deleted. */
export interface TrialOfRun extends Trial {
  run: Run | null;
}

/** What an experiment is to go through, and what of it is on record. */
export function factsOf(store: Store, { id, plan }: Experiment, catalog: Catalog) {
  const runs = new Map(store.runs.list({ experiment: id }).map((run) => [run.id, run]));
  const trials = store.trials.list(id).map(({ run: runId, ...key }): TrialOfRun => {
    const run = runId === null ? null : (runs.get(runId) ?? null);
    return { ...key, run, outcome: outcomeOf(run) };
  });
  return { cells: cellsOf(plan, catalog), seeds: plan.seeds, trials };
}

/** Every method at every rate, with the rounds of its search. */
export function cellsOf({ methods, rates, search }: Plan, catalog: Catalog): CellPlan[] {
  return rates.flatMap((rate) =>
    methods.map((choice, method) => {
      const isBaseline = isBaselineMethod(choice, catalog);
      const count =
        isBaseline || !search ? 1 : settingsOf(search, hasStrength(namesOfChoice(choice), catalog)).length;
      return { method, rate, isBaseline, rounds: roundsOf(count, search?.halving ?? false) };
    }),
  );
}

/** The settings that are tried for one of a plan's methods; for a baseline, and without a search, the given one alone. */
export function settingsOfMethod({ methods, search }: Plan, method: number, catalog: Catalog): Setting[] {
  const choice = methods[method];
  return search && !isBaselineMethod(choice, catalog)
    ? settingsOf(search, hasStrength(namesOfChoice(choice), catalog))
    : [{ learningRate: 1, strength: 0 }];
}

export const isBaselineMethod = (choice: Plan['methods'][number], catalog: Catalog): boolean =>
  namesOfChoice(choice).every((name) => catalog.method.some((part) => part.name === name && part.isBaseline));

/** How many runs a plan comes to where nothing diverges. */
export const plannedRuns = (cells: readonly CellPlan[], seeds: readonly number[]): number =>
  cells.reduce(
    (sum, { rounds }) => sum + seeds.length + rounds.reduce((tried, { settings }) => tried + settings, 0),
    0,
  );

function outcomeOf(run: Run | null): Outcome {
  switch (run?.status) {
    case 'queued':
    case 'running':
      return { state: 'pending' };
    case 'finished':
      return { state: 'done', accuracy: scoreIn(run, 'val') ?? 0, nll: run.val?.nll ?? 0 };
    case 'failed':
      return { state: run.error?.code === 'diverged' ? 'diverged' : 'broken' };
    default:
      return { state: 'broken' };
  }
}

/** The number that a run's task judges it by, on one split; null before there is one. */
export function scoreIn(run: Run | null, split: 'val' | 'test'): number | null {
  const metrics = run?.[split];
  return run && metrics ? taskNamed(run.task).score.of(metrics) : null;
}

/** What a plan asks for one of its methods. */
export function requestOf(plan: Plan, method: number, rate: number, seed: number): WantedRun['request'] {
  const { dataset, model, methods, config } = plan;
  return { ...config, dataset, model, method: methods[method], rate, seed };
}
