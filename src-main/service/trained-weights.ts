import { existsSync } from 'node:fs';
import type { Part, Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Base } from './base.ts';
import { findRun } from './lookup.ts';

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

/**
 * The trained network of the run that a method learns from; null where it learns from none. Errors: `not-found`, `conflict` and
 * `unavailable` where there is no such network, `bad-input` where it was trained for other classes.
 */
export async function teacherWeights(
  base: Pick<Base, 'store' | 'home'>,
  method: readonly Part[],
  targetClasses: readonly string[],
): Promise<string | null> {
  // Loaded here, not above: it brings tf.js along.
  const { teacherRun } = await import('../transfer/catalog.ts');
  const id = teacherRun(method);
  if (id === null) return null;
  const path = trainedWeights(base, findRun(base.store, id));
  const own = base.store.runs.record(id)!.targetClasses;
  if (own.join('\n') !== targetClasses.join('\n'))
    throw new CotuneError(
      'bad-input',
      `Run ${id} cannot teach here: it was trained for other classes (${own.slice(0, 3).join(', ')}${own.length > 3 ? ', …' : ''}).`,
      'Choose a finished run on the same target classes.',
    );
  return path;
}
