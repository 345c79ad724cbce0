import { setImmediate } from 'node:timers/promises';

/** How long a piece of work may keep the service from everything else, in milliseconds. */
const slice = 8;

/** Runs `work` to its end in turns of a few milliseconds, between which the service answers others. It yields where it may rest. */
export async function inSlices<T>(work: Iterator<void, T>): Promise<T> {
  for (let began = performance.now(); ; ) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() - began < slice) continue;
    await setImmediate();
    began = performance.now();
  }
}
