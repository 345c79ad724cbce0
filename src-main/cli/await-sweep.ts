import type { Client, Sweep } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { awaitRun } from './await-work.ts';
import type { Progress } from './progress.ts';
import { percent } from './text.ts';

/**
 * Follows a sweep's runs to their ends, one after another. A run that is stopped or deleted ends the waiting, with
 * the runs after it left in the queue; one that failed does not.
 */
export async function awaitSweep(client: Client, sweep: Sweep, progress: Progress): Promise<void> {
  for (const [index, id] of sweep.runs.entries()) {
    const place = `run ${id} (${index + 1} of ${sweep.runs.length})`;
    const run = await awaitRun(client, id, progress).catch((error) => {
      if (error instanceof CotuneError && (error.code === 'cancelled' || error.code === 'not-found'))
        return null;
      throw error;
    });
    if (!run) progress.say(`${place} was deleted.`);
    else if (run.status === 'stopped') return;
    else if (run.status === 'failed') progress.say(`${place} failed: ${run.error?.message}`);
    else
      progress.say(
        `${place}: ${run.config.method}, rate ${run.config.rate}, seed ${run.config.seed}: test accuracy ${run.test ? percent(run.test.accuracy) : 'unknown'}`,
      );
  }
}
