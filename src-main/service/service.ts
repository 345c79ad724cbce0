import type { CallInput, CallName, CallOutput, Client } from '../../src-shared/contract.ts';
import { contract } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { explainSystemError } from '../formats/system-error.ts';
import { openStore } from '../store/store.ts';
import type { Base } from './base.ts';
import { openCalls } from './calls.ts';
import { removeLeftovers } from './checkpoint-files.ts';
import type { Context } from './context.ts';
import { openDevice } from './device.ts';
import { createEvents } from './events.ts';
import { openExperiments } from './experiments.ts';
import { forkReader } from './fork-reader.ts';
import { openHome } from './home.ts';
import { fileOfSample, readablePlace, unpackFor } from './image-places.ts';
import { openJobs } from './jobs.ts';
import { openFeatures } from './kept-features.ts';
import { holdLease, newOwner } from './lease.ts';
import { parseInput } from './parse-input.ts';
import { type Picture, readPicture } from './pictures.ts';
import { openQueue, type QueueScope } from './queue.ts';
import { openReader } from './reader.ts';
import type { SpawnReader } from './spawn-reader.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import { openTasks } from './tasks.ts';
import { removeUnused } from './unpacked-datasets.ts';
import { watchHome } from './watch.ts';

export interface ServiceOptions {
  /** The data folder; made where it is not there. */
  home: string;
  spawnTrainer: SpawnTrainer;
  /** Default: a Node child process under Node's permission model. */
  spawnReader?: SpawnReader;
  /**
   * `all`: works off the home's whole queue, as an app does. `own` (for one command): only runs that it starts or
   * resumes itself.
   */
  queue?: QueueScope;
}

/** The product without a face: everything that the contract can ask for. */
export interface Service extends Client {
  /** A sample's picture, `thumb` at most 256 px on its longer side. */
  picture(sample: number, size: 'thumb' | 'full'): Promise<Picture>;
  /** Ends every piece of work: a running run writes a checkpoint and goes back into the queue. */
  close(): Promise<void>;
}

/**
 * Opens the service on a data folder. Several processes may open the same one. Errors: `unavailable` where the
 * folder or its database cannot be used.
 */
export async function openService(options: ServiceOptions): Promise<Service> {
  const home = openHome(options.home);
  const store = openStore(home.database);
  const events = createEvents();
  const owner = newOwner();
  const device = openDevice({ store, owner });
  const base: Base = {
    home,
    store,
    emit: events.emit,
    device,
    jobs: openJobs(options.spawnTrainer, device),
    reader: openReader(options.spawnReader ?? forkReader(undefined, [home.unpacked, home.unpacking])),
    owner,
  };
  const scope = options.queue ?? 'all';
  const queue = openQueue(base, options.spawnTrainer, scope);
  const context: Context = {
    ...base,
    lease: holdLease(store, owner),
    queue,
    experiments: openExperiments(base, queue, scope, events.on),
    tasks: openTasks(base),
    features: openFeatures(base),
  };
  const answer = openCalls(context);
  context.lease.takeOver();
  context.queue.reap();
  context.tasks.reap();
  removeLeftovers(base);
  // Nothing waits for it, and what it cannot remove only takes room.
  void removeUnused(base).catch((error: Error) => process.emitWarning(error));
  const endWatch = watchHome(context);
  context.queue.kick();
  context.experiments.follow();
  let closed = false;

  return {
    async call<N extends CallName>(name: N, input: CallInput<N>): Promise<CallOutput<N>> {
      if (closed) throw new CotuneError('unavailable', 'The service is closed.');
      if (!Object.hasOwn(contract.calls, name)) {
        throw new CotuneError(
          'bad-input',
          `There is no call "${name}".`,
          'The program and its view may differ in version.',
        );
      }
      const parsed = parseInput(name, contract.calls[name].input, input);
      try {
        return (await answer(name, parsed as never)) as CallOutput<N>;
      } catch (error) {
        throw explainSystemError(store.explain(error));
      }
    },
    on: events.on,
    async picture(id, size) {
      const sample = store.samples.stamped(id);
      const folder = sample && store.datasets.folder(sample.dataset);
      if (!sample || folder === undefined) throw new CotuneError('not-found', `There is no image ${id}.`);
      const { hash, stamp } = sample;
      await unpackFor(base, folder, [sample]);
      const source = {
        folder,
        file: fileOfSample(folder, sample),
        place: readablePlace(base, folder, sample),
        hash,
        stamp,
      };
      return readPicture(source, size, home.cache, base.reader);
    },
    async close() {
      if (closed) return;
      closed = true;
      endWatch();
      await context.experiments.close();
      await Promise.all([
        context.queue.close(),
        context.tasks.close(),
        base.jobs.close(),
        base.reader.close(),
      ]);
      events.clear();
      try {
        context.lease.release();
      } catch (error) {
        // On a full disk it stays, and ends with this process.
        process.emitWarning(error as Error);
      }
      store.close();
    },
  };
}
