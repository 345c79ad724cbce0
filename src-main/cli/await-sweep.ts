import type { Client, Sweep } from '../../src-shared/contract.ts';
import type { Run } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { methodName } from '../../src-shared/parts.ts';
import { openMeter, runEnd } from './await-work.ts';
import { onInterrupt } from './interrupt.ts';
import type { Progress } from './progress.ts';
import { percent } from './text.ts';

/**
 * Follows a sweep's runs to their ends; failed, stopped and deleted ones do not keep the others from theirs. Errors:
 * `cancelled` at an interrupt; the runs that are left stay in the queue, the one that is going on with a checkpoint.
 */
export async function awaitSweep(client: Client, sweep: Sweep, progress: Progress): Promise<void> {
  const endMeter = openMeter(client, sweep.runs, progress);
  let endInterrupt = () => {};
  const interrupt = new Promise<never>((_, reject) => {
    endInterrupt = onInterrupt('Stopping after this step, with a checkpoint…', () =>
      reject(
        new CotuneError(
          'cancelled',
          `Sweep ${sweep.id} was interrupted.`,
          `Go on: cotune sweep --resume ${sweep.id}`,
        ),
      ),
    );
  });
  const all = Promise.all(
    sweep.runs.map(async (id) => {
      const run = await runEnd(client, id).catch((error: unknown) => {
        if (error instanceof CotuneError && (error.code === 'cancelled' || error.code === 'not-found'))
          return null;
        throw error;
      });
      progress.say(`run ${id}: ${run ? outcome(run) : 'deleted'}`);
    }),
  );
  try {
    await Promise.race([all, interrupt]);
  } finally {
    endInterrupt();
    endMeter();
  }
}

function outcome({ config, status, error, test }: Run): string {
  const how = `${methodName(config.method)}, rate ${config.rate}, seed ${config.seed}`;
  if (status === 'finished') return `${how}: test accuracy ${test ? percent(test.accuracy) : 'unknown'}`;
  return `${how}: ${status}${error ? ` (${error.message})` : ''}`;
}
