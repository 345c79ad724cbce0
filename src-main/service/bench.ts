import { existsSync } from 'node:fs';
import { BenchRequest, type BenchResult } from '../../src-shared/bench.ts';
import type { Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { architectureNames, findArchitecture } from '../backbones/registry.ts';
import { openStore, type Store } from '../store/store.ts';
import type { BenchJob, StepWork } from '../trainer/protocol.ts';
import { benchStore } from './bench-store.ts';
import { type Device, openDevice } from './device.ts';
import { databaseOf, type Home, openHome } from './home.ts';
import { openJobs } from './jobs.ts';
import { holdLease, newOwner } from './lease.ts';
import { findImageDataset, findModel } from './lookup.ts';
import { parseInput } from './parse-input.ts';
import { checkLength, jobModel, jobSamples, runModel, samplesForRun } from './run-samples.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { openTrouble } from './trouble.ts';

export interface BenchOptions {
  /** The data folder: for what is registered in it, and, where it is there, for its line for the device. */
  home: string;
  spawnTrainer: SpawnTrainer;
  onProgress(label: string, done: number, total: number): void;
  /** Told what it waits for, in words; null when its turn has come. */
  onWait(what: string | null): void;
  signal: AbortSignal;
}

/**
 * Measures a part of the program on this machine: the store here, where it is used, everything else in a trainer
 * process. It is no call of the contract: what a view needs of it is `models.measure`. Throws the signal's reason when stopped.
 */
export async function bench(request: BenchRequest, options: BenchOptions): Promise<BenchResult> {
  const { spawnTrainer, onProgress, onWait, signal } = options;
  const parsed = parseInput('bench', BenchRequest, request);
  if (parsed.what === 'store')
    return benchStore(parsed, (done, total) => onProgress('bench store', done, total), signal);

  const title = `bench ${parsed.what}`;
  const { device, leave } = standInLine(options.home);
  try {
    return await openJobs(spawnTrainer, device).ask(
      jobOf(parsed, options.home),
      'a result',
      (message) => (message.type === 'bench' && message.result.bench !== 'run' ? message.result : undefined),
      { title, progress: (done, total) => onProgress(title, done, total), signal, waits: onWait },
    );
  } finally {
    leave();
  }
}

/** Nobody else works where there is no data folder. */
const alone: Device['take'] = (_, work) => work();

/** How often is looked whether its turn has come, in milliseconds. */
const lookEvery = 500;

/** The line for the device of a data folder that is there: beside a training, a measurement would say too little. */
function standInLine(folder: string) {
  if (!existsSync(databaseOf(folder))) return { device: { take: alone }, leave: () => {} };
  const store = openStore(openHome(folder).database);
  const owner = newOwner();
  const lease = holdLease(store, owner);
  const device = openDevice({ store, owner });
  const tellTrouble = openTrouble();
  const look = () => {
    try {
      lease.renew();
      lease.takeOver();
      device.kick();
    } catch (error) {
      tellTrouble(store.explain(error));
    }
  };
  look();
  const timer = setInterval(look, lookEvery);
  return {
    device,
    leave(): void {
      clearInterval(timer);
      lease.release();
      store.close();
    },
  };
}

type TrainerRequest = Exclude<BenchRequest, { what: 'store' }>;

function jobOf(request: TrainerRequest, homeFolder: string): BenchJob {
  switch (request.what) {
    case 'train':
      return { kind: 'bench', work: { ...request, ...networkOf(request, homeFolder) } };
    case 'infer':
      return { kind: 'bench', work: { ...request, frozen: 0, ...networkOf(request, homeFolder) } };
    case 'relationship':
      return { kind: 'bench', work: request };
    case 'data':
      return inHome(homeFolder, (home, store) => {
        const dataset = findImageDataset(store, request.dataset);
        const { samples } = samplesForRun(store, dataset, 1, 0);
        return {
          kind: 'bench',
          work: {
            ...request,
            samples: jobSamples(home, dataset.path, samples).train,
            preprocessing: preprocessingFor(request.size),
            cacheFolder: home.cache,
          },
        };
      });
  }
}

/** What the published networks take, but for a few: pixels, and pieces of a text as fine-tuning cuts them. */
const usual = { side: 224, pieces: 128 };

/**
 * An architecture by its name, else a registered network, with the size of what it takes. Errors: `not-found`, naming both kinds;
 * `bad-input` where texts are longer than a network takes.
 */
function networkOf(
  { model: name, size }: { model: string; size?: number },
  homeFolder: string,
): Pick<StepWork, 'network' | 'size'> {
  const architecture = findArchitecture(name);
  if (architecture) return { network: architecture.name, size: size ?? usual.side };
  try {
    return inHome(homeFolder, (home, store) => {
      const model = findModel(store, name);
      if (!model.text) return { network: jobModel(home, model), size: size ?? usual.side };
      const pieces = size ?? Math.min(usual.pieces, model.text.positions);
      checkLength(model, pieces);
      return { network: runModel(home, model, { size: pieces }), size: pieces };
    });
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
