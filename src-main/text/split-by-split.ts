import type { Split } from '../../src-shared/domain.ts';
import type { Evaluated } from '../tasks/task.ts';
import type { JobSample } from '../trainer/protocol.ts';

/** Evaluates some splits, one after the other; `onBatch` is told the number of samples done of all. */
export async function splitBySplit<S extends Split>(
  samples: Record<S, JobSample[]>,
  evaluate: (list: JobSample[], onBatch: (done: number) => void) => Promise<Evaluated>,
  onBatch: (done: number) => void = () => {},
): Promise<Record<S, Evaluated>> {
  const found: [string, Evaluated][] = [];
  let before = 0;
  for (const [split, list] of Object.entries<JobSample[]>(samples)) {
    found.push([split, await evaluate(list, (done) => onBatch(before + done))]);
    before += list.length;
  }
  return Object.fromEntries(found) as Record<S, Evaluated>;
}
