import type { Naming } from '../../src-shared/comparison.ts';
import type {
  Comparison,
  Cost,
  Experiment,
  ExperimentCell,
  ExperimentResults,
} from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { type Cell, deriveCells, isFinished, nextTrials } from '../../src-shared/experiment-cells.ts';
import { type Catalog, choiceLabel } from '../../src-shared/parts.ts';
import { settingText, withSetting } from '../../src-shared/search.ts';
import { meanAndSd } from '../../src-shared/statistics.ts';
import { tPoint } from '../../src-shared/student-t.ts';
import type { Store } from '../store/store.ts';
import {
  factsOf,
  isBaselineMethod,
  plannedRuns,
  scoreIn,
  settingsOfMethod,
  type TrialOfRun,
} from './experiment-facts.ts';
import { whyHalted } from './experiments.ts';

/** Compares finished runs, as `runs.compare` does. */
export type Compare = (runs: readonly number[], nameOf: Naming['nameOf']) => Promise<Comparison>;

/** All that an experiment has come to so far. */
export async function resultsOf(
  store: Store,
  experiment: Experiment,
  catalog: Catalog,
  compare: Compare,
): Promise<ExperimentResults> {
  const { plan, status } = experiment;
  const facts = factsOf(store, experiment, catalog);
  const derived = deriveCells(facts);
  const cells = derived.map((cell) => cellOf(cell, experiment, facts.trials, catalog));
  const halted = status === 'running' ? whyHalted(store, experiment) : null;
  const isWorking =
    facts.trials.some(({ outcome }) => outcome.state === 'pending') ||
    (nextTrials(facts).length > 0 && !halted);
  const labels = plan.methods.map((choice) => choiceLabel(choice, catalog));
  const verdicts: ExperimentResults['verdicts'] = [];
  for (const rate of plan.rates) {
    const here = cells.filter((cell) => cell.rate === rate && cell.accuracy !== null);
    if (here.length < 2) continue;
    const { groups, differences } = await compare(here.flatMap(finishedRuns), (run) => {
      const cell = here.find(({ runs }) => runs.some((one) => one.run === run));
      return cell && labels[cell.method];
    });
    const best = bestGroup({ groups, differences });
    for (const cell of here) cell.isBest = best !== null && groups[best].runs.includes(finishedRuns(cell)[0]);
    for (const { verdict, distinguishable } of differences) verdicts.push({ rate, verdict, distinguishable });
  }
  const known = facts.trials.find(({ run }) => run)?.run ?? store.datasets.getByName(plan.dataset);
  return {
    experiment,
    task: known?.task ?? 'image-classification',
    state:
      status !== 'running' ? status : isFinished(facts) ? 'finished' : isWorking ? 'running' : 'incomplete',
    problem: halted && { code: halted.code, message: halted.message, hint: halted.hint },
    methods: plan.methods.map((choice, method) => ({
      label: labels[method],
      isBaseline: isBaselineMethod(choice, catalog),
    })),
    cells,
    plannedRuns: plannedRuns(facts.cells, facts.seeds),
    verdicts,
  };
}

function cellOf(
  cell: Cell,
  { plan }: Experiment,
  all: readonly TrialOfRun[],
  catalog: Catalog,
): ExperimentCell {
  const { method, rate, state, chosen } = cell;
  const trials = all.filter((trial) => trial.method === method && trial.rate === rate);
  const finals = trials.filter(({ purpose }) => purpose === 'final');
  const search = trials.filter(({ purpose }) => purpose === 'tune');
  const settings = settingsOfMethod(plan, method, catalog);
  const tried = settings.flatMap((setting, index) => {
    const own = search.filter((trial) => trial.setting === index);
    const config = [...own, ...finals].find(({ run }) => run)?.run?.config;
    // A run's configuration has its setting; where all were deleted, nothing is left to tell.
    return own.length === 0
      ? []
      : [
          {
            text: own[0].run
              ? settingText(own[0].run.config, catalog)
              : config
                ? settingText(withSetting(config, setting, catalog), catalog)
                : '–',
            chosen: chosen === index,
            rounds: own
              .sort((a, b) => a.round - b.round)
              .map(({ run }) => ({
                run: run?.id ?? null,
                status: run?.status ?? ('deleted' as const),
                steps: run?.config.steps ?? 0,
                valAccuracy: scoreIn(run, 'val'),
                valNll: run?.val?.nll ?? null,
              })),
          },
        ];
  });
  return {
    method,
    rate,
    state,
    tried,
    runs: finals
      .map(({ run, seed }) => ({
        run: run?.id ?? null,
        status: run?.status ?? ('deleted' as const),
        seed,
        accuracy: scoreIn(run, 'test'),
      }))
      .sort((a, b) => a.seed - b.seed),
    accuracy: accuracyOver(finals.flatMap(({ run }) => scoreIn(run, 'test') ?? [])),
    isBest: false,
    cost: { search: costOf(search), final: costOf(finals) },
  };
}

const finishedRuns = ({ runs }: ExperimentCell): number[] =>
  runs.flatMap(({ run, accuracy }) => (run !== null && accuracy !== null ? [run] : []));

/** Mean with its 95 % interval, mean ± t(n − 1) s / √n within [0, 1]. */
function accuracyOver(accuracies: readonly number[]): ExperimentCell['accuracy'] {
  const seeds = accuracies.length;
  if (seeds === 0) return null;
  const { mean, sd } = meanAndSd(accuracies);
  const half = sd === null ? null : (tPoint(0.05, seeds - 1) * sd) / Math.sqrt(seeds);
  return {
    mean,
    interval: half === null ? null : [Math.max(0, mean - half), Math.min(1, mean + half)],
    seeds,
  };
}

/**
 * The group that is better than each other one that it can be compared with, by a verdict about methods; null where there is
 * none.
 */
function bestGroup({ groups, differences }: Pick<Comparison, 'groups' | 'differences'>): number | null {
  const best = groups.reduce(
    (most, group, i) => (group.accuracyMean > groups[most].accuracyMean ? i : most),
    0,
  );
  const judged = differences.filter(({ a, b, about }) => about !== 'none' && (a === best || b === best));
  const won = judged.filter(({ about, distinguishable }) => distinguishable && about === 'methods');
  return judged.length > 0 && won.length === judged.length ? best : null;
}

/** What runs took, as far as they went. */
function costOf(trials: readonly TrialOfRun[]): Cost {
  const runs = trials.flatMap(({ run }) => (run && run.status !== 'queued' ? [run] : []));
  return {
    runs: runs.length,
    steps: runs.reduce((sum, { step }) => sum + step, 0),
    seconds: runs.reduce((sum, run) => sum + secondsOf(run), 0),
  };
}

/** A run that did not finish has no timing: what lies between its beginning and its end then. */
function secondsOf({ timing, startedAt, finishedAt }: Run): number {
  if (timing) return timing.total_s;
  return startedAt && finishedAt ? (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 : 0;
}
