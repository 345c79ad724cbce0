import { BenchRequest, type BenchResult } from '../../src-shared/bench.ts';
import type { Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { architectureNames, findArchitecture } from '../backbones/registry.ts';
import { openStore, type Store } from '../store/store.ts';
import type { BenchJob, JobModel } from '../trainer/protocol.ts';
import { benchStore } from './bench-store.ts';
import { type Home, openHome } from './home.ts';
import { openJobs } from './jobs.ts';
import { findDataset, findModel } from './lookup.ts';
import { parseInput } from './parse-input.ts';
import { jobModel, jobSamples, samplesForRun } from './run-samples.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';

export interface BenchOptions {
  /** The data folder; opened only for what is registered in it. */
  home: string;
  spawnTrainer: SpawnTrainer;
  onProgress(label: string, done: number, total: number): void;
  signal: AbortSignal;
}

/**
 * Measures a part of the program on this machine: the store here, where it is used, everything else in a trainer
 * process. It is no call of the contract: what a view needs of it is `models.measure`. Throws the signal's reason when stopped.
 */
export async function bench(request: BenchRequest, options: BenchOptions): Promise<BenchResult> {
  const { spawnTrainer, onProgress, signal } = options;
  const parsed = parseInput('bench', BenchRequest, request);
  if (parsed.what === 'store')
    return benchStore(parsed, (done, total) => onProgress('bench store', done, total), signal);

  return openJobs(spawnTrainer).ask(
    jobOf(parsed, options.home),
    'a result',
    (message) => (message.type === 'bench' && message.result.bench !== 'run' ? message.result : undefined),
    { progress: (done, total) => onProgress(`bench ${parsed.what}`, done, total), signal },
  );
}

type TrainerRequest = Exclude<BenchRequest, { what: 'store' }>;

function jobOf(request: TrainerRequest, homeFolder: string): BenchJob {
  switch (request.what) {
    case 'train':
      return { kind: 'bench', work: { ...request, network: networkOf(request.model, homeFolder) } };
    case 'infer':
      return {
        kind: 'bench',
        work: { ...request, frozen: 0, network: networkOf(request.model, homeFolder) },
      };
    case 'relationship':
      return { kind: 'bench', work: request };
    case 'data':
      return inHome(homeFolder, (home, store) => {
        const dataset = findDataset(store, request.dataset);
        const { samples } = samplesForRun(store, dataset, 1, 0);
        return {
          kind: 'bench',
          work: {
            ...request,
            samples: jobSamples(dataset.path, samples).train,
            preprocessing: preprocessingFor(request.size),
            cacheFolder: home.cache,
          },
        };
      });
  }
}

/** An architecture by its name, else a registered network. Errors: `not-found`, naming both kinds. */
function networkOf(name: string, homeFolder: string): string | JobModel {
  const architecture = findArchitecture(name);
  if (architecture) return architecture.name;
  try {
    return inHome(homeFolder, (home, store) => jobModel(home, findModel(store, name)));
  } catch (error) {
    if (!(error instanceof CotuneError) || error.code !== 'not-found') throw error;
    const hint = `Architectures (with random weights): ${architectureNames().join(', ')}. ${error.hint}`;
    throw new CotuneError('not-found', error.message, hint, { cause: error });
  }
}

/** ImageNet's customary preprocessing, in proportion. */
const preprocessingFor = (size: number): Preprocessing => ({
  inputSize: size,
  resizeShorter: Math.round((size * 256) / 224),
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
});

function inHome<T>(folder: string, work: (home: Home, store: Store) => T): T {
  const home = openHome(folder);
  const store = openStore(home.database);
  try {
    return work(home, store);
  } finally {
    store.close();
  }
}
