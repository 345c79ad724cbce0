import type { Experiment } from '../../src-shared/contract.ts';
import type { Model, Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { type CellPlan, isFinished, nextTrials, type TrialKey } from '../../src-shared/experiment-cells.ts';
import { type Catalog, choiceLabel, whyNot } from '../../src-shared/parts.ts';
import { asTrial, withSetting } from '../../src-shared/search.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Base } from './base.ts';
import type { createEvents } from './events.ts';
import { cellsOf, factsOf, requestOf, settingsOfMethod } from './experiment-facts.ts';
import { loadCatalog } from './load-catalog.ts';
import { findModel } from './lookup.ts';
import { insertRun, type PlannedRun, planRuns, refuseOptionsOfNone, type WantedRun } from './plan-runs.ts';
import type { Queue, QueueScope } from './queue.ts';
import { openTrouble } from './trouble.ts';

export type Experiments = ReturnType<typeof openExperiments>;

/**
 * Plans the runs of experiments: whatever is on record decides what comes next, so that it does not matter which process
 * looks, how often, or what it was in the middle of when it ended. `scope` is that of the queue.
 */
export function openExperiments(
  { store, emit }: Base,
  queue: Queue,
  scope: QueueScope,
  on: ReturnType<typeof createEvents>['on'],
) {
  const own = new Set<number>();
  /** Those at which somebody has to look again. */
  const due = new Set<number>();
  const tellTrouble = openTrouble();
  let turn = Promise.resolve();
  let closed = false;

  const follows = (id: number) => scope === 'all' || own.has(id);
  function look(id: number): void {
    if (!closed && follows(id)) due.add(id);
    lookAtDue();
  }

  /** One after the other; what fails now (a locked database) stays due. */
  function lookAtDue(): void {
    for (const id of due)
      turn = turn.then(async () => {
        if (closed || !due.has(id)) return;
        try {
          await advance(id);
          due.delete(id);
        } catch (error) {
          tellTrouble(store.explain(error));
        }
      });
  }

  async function advance(id: number): Promise<void> {
    const experiment = store.experiments.get(id);
    if (experiment?.status !== 'running') return;
    const catalog = await loadCatalog();
    const facts = factsOf(store, experiment, catalog);
    if (isFinished(facts)) return store.transaction(() => store.experiments.setStatus(id, 'finished'));
    const keys = nextTrials(facts);
    if (keys.length === 0 || whyHalted(store, experiment)) return;
    const planned = await planRuns(
      store,
      keys.map((key) => wantedRun(experiment.plan, key, facts.cells, catalog)),
    );
    tell(store.transaction(() => insert(id, keys, planned)));
  }

  /** Stores runs of an experiment that is still going on, but for those that another process has stored since. */
  function insert(id: number, keys: readonly TrialKey[], planned: readonly PlannedRun[]): number[] {
    if (store.experiments.get(id)?.status !== 'running') return [];
    return keys.flatMap((key, i) => {
      if (store.trials.has(id, key)) return [];
      const run = insertRun(store, planned[i], id);
      store.trials.insert(id, key, run);
      return [run];
    });
  }

  function tell(runs: readonly number[]): void {
    for (const run of runs) {
      emit('run', store.runs.get(run)!);
      queue.add(run);
    }
  }

  on('run', ({ id, experimentId, status }: Run) => {
    if (experimentId === null || !follows(experimentId)) return;
    // Another process may have planned it: this one works on it as well.
    if (status === 'queued') queue.add(id);
    else if (status !== 'running') look(experimentId);
  });

  return {
    /** Starts a plan: its first runs are in the queue when it returns. Errors: as of a run, and for what cannot be searched. */
    async start(given: Experiment['plan']): Promise<Experiment> {
      const catalog = await loadCatalog();
      const plan = await withBaselines(given, findModel(store, given.model), catalog);
      const cells = cellsOf(plan, catalog);
      await checkPlan(store, plan, cells);
      const keys = nextTrials({ cells, seeds: plan.seeds, trials: [] });
      const planned = await planRuns(
        store,
        keys.map((key) => wantedRun(plan, key, cells, catalog)),
      );
      const [id, runs] = store.transaction(() => {
        const made = store.experiments.insert(plan);
        return [made, insert(made, keys, planned)] as const;
      });
      own.add(id);
      tell(runs);
      return store.experiments.get(id)!;
    },
    /** Plans on where an experiment was stopped, and for runs that were deleted. */
    resume(id: number): void {
      own.add(id);
      store.transaction(() => {
        store.trials.forgetDeleted(id);
        store.experiments.setStatus(id, 'running');
      });
      look(id);
    },
    stop: (id: number): void => store.transaction(() => store.experiments.setStatus(id, 'stopped')),
    /** Looks at what was begun by others and what could not be written before; cheap. */
    follow(): void {
      if (scope === 'all') for (const id of store.experiments.running()) due.add(id);
      lookAtDue();
    },
    async close(): Promise<void> {
      closed = true;
      await turn;
    },
  };
}

/** Why an experiment cannot be gone on with: what it was begun on has changed. Null where nothing is in the way. */
export function whyHalted(store: Base['store'], { id, plan }: Experiment): CotuneError | null {
  const first = store.runs.list({ experiment: id }).at(-1);
  const dataset = store.datasets.getByName(plan.dataset);
  const model = store.models.getByName(plan.model);
  if (!first || (dataset?.hash === first.datasetHash && model?.hash === first.modelHash)) return null;
  const what = dataset?.hash === first.datasetHash ? `network "${plan.model}"` : `dataset "${plan.dataset}"`;
  return new CotuneError(
    'conflict',
    `The ${what} is not the one that experiment ${id} began with.`,
    'Bring that one back (edits can be undone), or start the plan again: runs on different data or networks cannot be compared.',
  );
}

/** The run that a trial is. */
function wantedRun(
  plan: Experiment['plan'],
  { method, rate, purpose, round, setting, seed }: TrialKey,
  cells: readonly CellPlan[],
  catalog: Catalog,
): WantedRun {
  const chosen = settingsOfMethod(plan, method, catalog)[setting];
  const cell = cells.find((one) => one.method === method && one.rate === rate)!;
  return {
    request: requestOf(plan, method, rate, seed),
    change: (config) => {
      const set = withSetting(config, chosen, catalog);
      return purpose === 'tune' ? asTrial(set, cell.rounds[round].share, catalog) : set;
    },
    withholdsTest: purpose === 'tune',
  };
}

/** The plan with the baselines that this network can be used with first, if it asks for them. */
export async function withBaselines(
  plan: Experiment['plan'],
  model: Model,
  catalog: Catalog,
): Promise<Experiment['plan']> {
  if (!plan.baseline) return plan;
  const { traitsOf } = await import('../backbones/traits.ts');
  const traits = traitsOf(model);
  const baselines = catalog.method.filter((part) => part.isBaseline && whyNot(part, model, traits) === null);
  const others = plan.methods.filter((choice) => !baselines.some(({ name }) => name === choice));
  return { ...plan, methods: [...baselines.map(({ name }) => name), ...others] };
}

/**
 * Every method at every rate is asked for once, before anything begins. Returns these runs, on the first seed and with settings as
 * given, by cell. Errors: `bad-input`, `not-found`.
 */
export async function checkPlan(
  store: Base['store'],
  plan: Experiment['plan'],
  cells: readonly CellPlan[],
): Promise<PlannedRun[]> {
  for (const list of ['rates', 'seeds'] as const)
    if (new Set<number>(plan[list]).size < plan[list].length)
      throw new CotuneError(
        'bad-input',
        `"${list}" names a value twice: ${plan[list].join(', ')}.`,
        'Name each once.',
      );
  const planned = await planRuns(
    store,
    cells.map(({ method, rate }) => ({ request: requestOf(plan, method, rate, plan.seeds[0]) })),
  );
  await refuseOptionsOfNone(planned);
  const methods = planned.slice(0, plan.methods.length).map(({ run }) => JSON.stringify(run.config.method));
  const twice = methods.findIndex((method, i) => methods.indexOf(method) < i);
  if (twice >= 0)
    throw new CotuneError(
      'bad-input',
      `The method ${choiceLabel(plan.methods[twice])} is there twice with the same options.`,
      'Keep one of the two.',
    );
  const { samples } = taskNamed(planned[0].run.task);
  const blind = planned.findIndex(({ run }, i) => cells[i].rounds.length > 0 && run.samples.val === 0);
  if (blind >= 0)
    throw new CotuneError(
      'bad-input',
      `At rate ${cells[blind].rate} there are no validation ${samples} to choose settings by.`,
      `Add ${samples}, or train with the settings as given: search: off.`,
    );
  return planned;
}
