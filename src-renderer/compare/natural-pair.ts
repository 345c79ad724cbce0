import type { Run } from '../../src-shared/domain.ts';
import { methodName } from '../../src-shared/parts.ts';

/** Same images in the same split with the same model: what differs is the training. */
const matched = (a: Run, b: Run) =>
  a.id !== b.id &&
  a.splitHash === b.splitHash &&
  a.modelHash === b.modelHash &&
  a.config.seed === b.config.seed;

/**
 * The pair a person most likely means, baseline first: fine-tuning against co-tuning on the same split and seed,
 * else the first two selected. With one run selected the partner comes from all finished runs; with none, the
 * newest such pair. `methods` names every method, simpler ones first.
 */
export function naturalPair(
  selected: readonly Run[],
  finished: readonly Run[],
  methods: readonly string[],
): [Run, Run] | null {
  const rank = (run: Run) => methods.indexOf(run.config.method[0].name);
  const name = (run: Run) => methodName(run.config.method);
  const candidates = selected.length > 1 ? selected : finished;
  const first = selected.length > 0 ? selected : finished;
  for (const one of first) {
    const other = candidates.find((run) => matched(one, run) && name(run) !== name(one));
    if (other) return rank(one) <= rank(other) ? [one, other] : [other, one];
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
