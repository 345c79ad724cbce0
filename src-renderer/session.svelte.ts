/** What every screen shares: the connection, and the lists that events keep up to date. */
import { SvelteMap } from 'svelte/reactivity';
import { allRuns } from '../src-shared/all-runs.ts';
import type { EventData, Experiment, Task } from '../src-shared/contract.ts';
import type { ArchitectureTitle, Dataset, Model, Run } from '../src-shared/domain.ts';
import { type ErrorValue, toErrorValue } from '../src-shared/errors.ts';
import type { Catalog } from '../src-shared/parts.ts';
import { taskNamed } from '../src-shared/tasks/index.ts';
import type { TaskDescription } from '../src-shared/tasks/task.ts';
import { accessToken, isRefused } from './access.ts';
import { type ConnectionState, connect, type DesktopBridge, portWire, socketWire } from './client.ts';

declare global {
  interface Window {
    cotune?: DesktopBridge;
  }
}

function socketUrl(): string {
  const url = new URL('ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  url.search = '';
  return url.href;
}

export const desktop: DesktopBridge | undefined = window.cotune;
export const client = connect(
  desktop ? portWire(desktop) : socketWire(socketUrl(), { accessToken, isRefused }),
);

/** Lists are null until first loaded, then always the newest known. Sorted newest first. */
class Session {
  connection = $state<ConnectionState>('connecting');
  /** Grows at every new connection: what depends on it loads again. */
  generation = $state(0);
  datasets = $state.raw<Dataset[] | null>(null);
  models = $state.raw<Model[] | null>(null);
  /** Networks whose weights can be added. */
  architectures = $state.raw<ArchitectureTitle[]>([]);
  runs = $state.raw<Run[] | null>(null);
  experiments = $state.raw<Experiment[] | null>(null);
  /** Methods and what else a training is put together from. */
  parts = $state.raw<Catalog | null>(null);
  tasks = $state.raw<Task[]>([]);
  error = $state.raw<ErrorValue | null>(null);
  readonly progress = new SvelteMap<number, EventData<'run.progress'>>();

  #changedRuns = new Map<number, Run | null>();
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  #experimentsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    client.onState((state) => {
      this.connection = state;
      if (state === 'open') {
        this.generation++;
        this.#load();
      }
    });
    client.on('task', (task) => this.putTask(task));
    client.on('datasets.changed', () => this.#loadDatasets());
    client.on('models.changed', () => this.#loadModels());
    client.on('run', (run) => this.putRun(run));
    client.on('run.deleted', ({ run }) => this.#change(run, null));
    client.on('run.progress', (progress) => this.progress.set(progress.run, progress));
  }

  putTask(task: Task): void {
    this.tasks = [task, ...this.tasks.filter((other) => other.id !== task.id)].sort((a, b) => b.id - a.id);
  }

  /** Takes over a run that a call has just returned, so that it shows before its event arrives. */
  putRun(run: Run): void {
    this.#change(run.id, run);
    if (
      run.experimentId !== null &&
      !this.experiments?.some(({ id, runs }) => id === run.experimentId && runs.includes(run.id))
    )
      this.#experimentsTimer ??= setTimeout(() => {
        this.#experimentsTimer = undefined;
        this.#loadExperiments();
      }, 100);
  }

  /** What a person reads for an architecture's name. */
  architectureTitle(name: string): string {
    return this.architectures.find((known) => known.name === name)?.title ?? name;
  }

  /** What is learned of a dataset by its name; images where it is gone. */
  taskOf(dataset: string): TaskDescription {
    return taskNamed(this.datasets?.find(({ name }) => name === dataset)?.task ?? 'image-classification');
  }

  putExperiment(experiment: Experiment): void {
    this.experiments = [
      experiment,
      ...(this.experiments ?? []).filter((other) => other.id !== experiment.id),
    ];
  }

  // Many runs may change many times a second: they enter the list together, ten times a second.
  #change(id: number, run: Run | null): void {
    this.#changedRuns.set(id, run);
    this.#flushTimer ??= setTimeout(() => {
      this.#flushTimer = undefined;
      if (!this.runs) return;
      const byId = new Map(this.runs.map((known) => [known.id, known]));
      for (const [changed, value] of this.#changedRuns) {
        if (value) byId.set(changed, value);
        else byId.delete(changed);
      }
      this.#changedRuns.clear();
      this.runs = [...byId.values()].sort((a, b) => b.id - a.id);
    }, 100);
  }

  #load(): void {
    this.error = null;
    this.#loadDatasets();
    this.#loadModels();
    this.#loadExperiments();
    client.call('parts.list', {}).then((parts) => {
      this.parts = parts;
    }, this.#fail);
    client.call('models.architectures', {}).then((architectures) => {
      this.architectures = architectures;
    }, this.#fail);
    allRuns(client).then((runs) => {
      this.runs = [...runs].sort((a, b) => b.id - a.id);
    }, this.#fail);
    client.call('tasks.list', {}).then((tasks) => {
      this.tasks = [...tasks].sort((a, b) => b.id - a.id);
    }, this.#fail);
  }

  #loadDatasets(): void {
    client.call('datasets.list', {}).then((datasets) => {
      this.datasets = [...datasets].sort((a, b) => b.id - a.id);
    }, this.#fail);
  }

  #loadModels(): void {
    client.call('models.list', {}).then((models) => {
      this.models = [...models].sort((a, b) => b.id - a.id);
    }, this.#fail);
  }

  #loadExperiments(): void {
    client.call('experiments.list', {}).then((experiments) => {
      this.experiments = [...experiments].sort((a, b) => b.id - a.id);
    }, this.#fail);
  }

  readonly #fail = (error: unknown): void => {
    this.error = toErrorValue(error);
  };
}

export const session = new Session();
