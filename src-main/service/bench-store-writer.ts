/** A thread that writes one run's curves through a connection of its own, as fast as it can, until told to stop. */
import { parentPort, workerData } from 'node:worker_threads';
import { openStore } from '../store/store.ts';
import { curvesOf } from './bench-store-rows.ts';

export interface WriterData {
  path: string;
  run: number;
  /** Shared: [1 to stop, steps written]. */
  control: Int32Array<SharedArrayBuffer>;
}

const { path, run, control } = workerData as WriterData;
const store = openStore(path);
for (let step = 1; Atomics.load(control, 0) === 0; step++) {
  store.metrics.insert(run, step, curvesOf(step));
  Atomics.store(control, 1, step);
  if (step === 1) parentPort!.postMessage('writing');
}
store.close();
