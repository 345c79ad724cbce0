import type { Part } from '../../../src-shared/domain.ts';
import type { Averaging } from './averaging.ts';
import { greedySoup } from './greedy-soup.ts';
import { interpolation } from './interpolation.ts';
import { uniformSoup } from './uniform-soup.ts';

/** Every way to make one network of several; a run of one names it, and the runs that it is made of, as its method. */
export const averagings: readonly Averaging[] = [greedySoup, uniformSoup, interpolation];

/** How a run's network was made of other runs', or null where it was trained. */
export function averagingOf(method: readonly Part[]): { way: Averaging; runs: number[] } | null {
  const [{ name, runs }] = method;
  const way = averagings.find((one) => one.name === name);
  return way ? { way, runs: runs as number[] } : null;
}
