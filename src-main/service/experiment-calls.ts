import type { Naming } from '../../src-shared/comparison.ts';
import type { Comparison, Experiment, ExperimentResults } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { compareStored } from './compare-calls.ts';
import type { Context, Handlers } from './context.ts';
import { estimatePlan } from './estimate-plan.ts';
import { resultsOf } from './experiment-results.ts';
import { loadCatalog } from './load-catalog.ts';
import { resumeRun } from './resume-run.ts';
import { writeReport } from './write-report.ts';

type Names =
  | 'experiments.list'
  | 'experiments.start'
  | 'experiments.get'
  | 'experiments.estimate'
  | 'experiments.report'
  | 'experiments.resume'
  | 'experiments.stop';

/** Comparisons of an experiment's runs are kept: what is finished does not change. */
const comparisonsKept = 100;

export function experimentCalls(context: Context): Handlers<Names> {
  const { store, queue, experiments } = context;
  const compared = new Map<string, Promise<Comparison>>();

  function find(id: number): Experiment {
    const experiment = store.experiments.get(id);
    if (experiment) return experiment;
    const known = store.experiments.list().slice(0, 20);
    throw new CotuneError(
      'not-found',
      `There is no experiment ${id}.`,
      known.length > 0 ? `Known: ${known.map((one) => `${one.id} (${one.name})`).join(', ')}.` : '',
    );
  }

  function compare(runs: readonly number[], nameOf: Naming['nameOf']): Promise<Comparison> {
    const key = runs.join();
    const before = compared.get(key);
    if (before) return before;
    const answer = compareStored(store, runs, { nameOf });
    compared.set(key, answer);
    answer.catch(() => compared.delete(key));
    if (compared.size > comparisonsKept) compared.delete(compared.keys().next().value!);
    return answer;
  }

  async function results(id: number): Promise<ExperimentResults> {
    const found = find(id);
    return resultsOf(store, found, await loadCatalog(), compare);
  }

  return {
    'experiments.list': () => store.experiments.list(),
    'experiments.start': (plan) => experiments.start(plan),
    'experiments.get': ({ experiment }) => results(experiment),
    'experiments.report': async ({ experiment, path, overwrite }) =>
      writeReport(context, await results(experiment), path, overwrite),
    'experiments.estimate': (plan) => estimatePlan(context, plan),
    'experiments.resume': ({ experiment }) => {
      find(experiment);
      experiments.resume(experiment);
      for (const run of store.runs.list({ experiment }).toReversed())
        if (run.status !== 'finished' && run.status !== 'running' && run.error?.code !== 'diverged')
          resumeRun(context, run);
      return find(experiment);
    },
    'experiments.stop': ({ experiment }) => {
      find(experiment);
      experiments.stop(experiment);
      // From the end: what is running now would make place for the next.
      for (const { id } of store.runs.list({ experiment })) {
        const run = store.runs.get(id);
        if (run?.status === 'queued' || run?.status === 'running') queue.stop(run);
      }
      return find(experiment);
    },
  };
}
