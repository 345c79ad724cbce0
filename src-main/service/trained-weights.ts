import { existsSync } from 'node:fs';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Base } from './base.ts';

/** Errors: `conflict` where the run has no trained weights, `unavailable` where their file is gone. */
export function trainedWeights({ store, home }: Pick<Base, 'store' | 'home'>, run: Run): string {
  const weights = store.runs.record(run.id)?.weights;
  if (!weights) {
    throw new CotuneError(
      'conflict',
      `Run ${run.id} has no trained weights: it is ${run.status}.`,
      'Wait for its end, or choose a finished run.',
    );
  }
  const path = home.fromStored(weights);
  if (!existsSync(path)) {
    throw new CotuneError(
      'unavailable',
      `The weights of run ${run.id} are gone (${path}).`,
      'Train it again.',
    );
  }
  return path;
}
