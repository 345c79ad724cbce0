import type { Run } from '../../src-shared/domain.ts';

/** Same images in the same split with the same model: what differs is the training. */
const matched = (a: Run, b: Run) =>
  a.id !== b.id &&
  a.splitHash === b.splitHash &&
  a.modelHash === b.modelHash &&
  a.config.seed === b.config.seed;

/**
 * The pair a person most likely means, baseline first: fine-tuning against co-tuning on the same split and seed,
 * else the first two selected. With one run selected the partner comes from all finished runs; with none, the
 * newest such pair.
 */
export function naturalPair(selected: readonly Run[], finished: readonly Run[]): [Run, Run] | null {
  const candidates = selected.length > 1 ? selected : finished;
  const first = selected.length > 0 ? selected : finished;
  for (const one of first) {
    const other = candidates.find((run) => matched(one, run) && run.config.method !== one.config.method);
    if (other) return one.config.method === 'finetune' ? [one, other] : [other, one];
  }
  const [a] = first;
  if (!a) return null;
  const b =
    candidates.find((run) => matched(a, run)) ??
    candidates.find((run) => run.id !== a.id && run.splitHash === a.splitHash) ??
    candidates.find((run) => run.id !== a.id);
  if (!b) return null;
  return a.id < b.id ? [a, b] : [b, a];
}
