import { setTimeout as sleep } from 'node:timers/promises';
import type { CotuneError } from '../../src-shared/errors.ts';
import type { Store } from '../store/store.ts';

const firstPauseMs = 500;
const longestPauseMs = 10_000;

/**
 * Writes what must not be lost, again and again until it succeeds: a disk that is full or a database that is locked now may
 * not be later. `tell` is told of each such failure that differs from the one before. False where it failed and `givenUp`
 * says that it is to be left at that. Throws at once what no waiting mends.
 */
export async function persist(
  store: Pick<Store, 'explain' | 'mayPass'>,
  write: () => void,
  tell: (error: CotuneError) => void,
  givenUp: () => boolean,
): Promise<boolean> {
  let told = '';
  for (let pause = firstPauseMs; ; pause = Math.min(2 * pause, longestPauseMs)) {
    try {
      write();
      return true;
    } catch (error) {
      if (!store.mayPass(error)) throw error;
      const reason = store.explain(error) as CotuneError;
      if (reason.message !== told) tell(reason);
      told = reason.message;
    }
    // In small pieces: who gives up need not wait for the end of a long pause.
    for (let waited = 0; waited < pause; waited += 100) {
      if (givenUp()) return false;
      await sleep(100);
    }
  }
}
