import { statSync } from 'node:fs';
import type { Checkpoint } from '../store/checkpoints.ts';
import type { Base } from './base.ts';

type Kept = Pick<Base, 'store' | 'home'>;

/** Stores a checkpoint that a trainer wrote, and forgets those whose files it has removed since. */
export function recordCheckpoint(kept: Kept, run: number, step: number, path: string): void {
  const file = statSync(path, { throwIfNoEntry: false });
  // A trainer may be ahead of its messages and have removed this one already.
  if (file) kept.store.checkpoints.insert(run, { step, path: kept.home.toStored(path), bytes: file.size });
  newestCheckpoint(kept, run);
}

/** The newest checkpoint of a run that is whole on disk; rows whose files are not are removed. */
export function newestCheckpoint({ store, home }: Kept, run: number): Checkpoint | undefined {
  const whole = store.checkpoints.list(run).filter((checkpoint) => {
    const file = statSync(home.fromStored(checkpoint.path), { throwIfNoEntry: false });
    if (file?.size === checkpoint.bytes) return true;
    store.checkpoints.remove(run, checkpoint.step);
    return false;
  });
  return whole[0];
}
