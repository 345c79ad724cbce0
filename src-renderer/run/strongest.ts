import type { Prediction } from '../../src-shared/contract.ts';

/** The most probable classes as bars, the true one marked, and the predicted one where it is wrong. */
export function strongestOf({ sample, predicted, top, loss }: Prediction, classes: readonly string[]) {
  const item = ({ label, p }: { label: number; p: number }) => ({
    p,
    label,
    name: classes[label],
    tone: label === sample.label ? ('good' as const) : label === predicted ? ('bad' as const) : undefined,
  });
  const items = top.map(item);
  // The true class belongs in the list however far down it ranks.
  return items.some(({ label }) => label === sample.label)
    ? items
    : [...items, item({ label: sample.label, p: Math.exp(-loss) })];
}
