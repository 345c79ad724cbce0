import type { Method, Run } from '../../src-shared/domain.ts';
import { meanAndSd } from '../../src-shared/statistics.ts';

export interface Group {
  method: Method;
  rate: number;
  runs: number;
  mean: number;
  /** Sample standard deviation over seeds; null with one run. */
  sd: number | null;
}

/** Test accuracy of finished runs by rate, then method. */
export function groupsOf(runs: readonly Run[]): Group[] {
  const groups = new Map<string, { method: Method; rate: number; values: number[] }>();
  for (const { config, test } of runs) {
    if (!test) continue;
    const key = `${config.method} ${config.rate}`;
    const group = groups.get(key) ?? { method: config.method, rate: config.rate, values: [] };
    groups.set(key, group);
    group.values.push(test.accuracy);
  }
  return [...groups.values()]
    .sort((a, b) => a.rate - b.rate || a.method.localeCompare(b.method))
    .map(({ method, rate, values }) => ({ method, rate, runs: values.length, ...meanAndSd(values) }));
}
