/** Which of a dataset's pictures are shown and how they are ordered, as the location says it: by these names a view keeps it. */
import type { CallInput } from '../../src-shared/contract.ts';
import { findingKinds } from '../../src-shared/finding-kinds.ts';
import { splits } from '../../src-shared/names.ts';
import { networkNamed } from '../map/networks.ts';

export const filterKeys = [
  'label',
  'split',
  'group',
  'findings',
  'decision',
  'run',
  'outcome',
  'predicted',
  'part',
  'order',
  'like',
  'by',
] as const;
type Query = Readonly<Record<string, string | undefined>>;

export const orders = {
  class: 'by class',
  loss: 'greatest loss first',
  'confidence-rising': 'least sure first',
  confidence: 'surest first',
} as const;
export const outcomes = { right: 'right', wrong: 'wrong' } as const;
export const parts = {
  train: 'trained on',
  val: 'validated on',
  test: 'tested on',
  unused: 'left out of the subset',
} as const;
export const decisions = { open: 'undecided', kept: 'kept', done: 'done' } as const;

const chosen = <K extends string>(
  of: Readonly<Record<K, unknown>>,
  text: string | undefined,
): K | undefined => (text !== undefined && Object.hasOwn(of, text) ? (text as K) : undefined);
const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/** What a location asks for; what it says of predictions counts with a run only. */
export function filterOf(query: Query): Omit<CallInput<'datasets.samples'>, 'dataset'> {
  const run = numberIn(query.run) || undefined;
  const like = numberIn(query.like);
  return {
    label: numberIn(query.label),
    split: splits.find((known) => known === query.split),
    group: query.group || undefined,
    withFindings: query.findings === '1',
    finding: findingKinds.find(({ name }) => name === query.findings)?.name,
    decision: chosen(decisions, query.decision),
    ...(like !== undefined && query.by && { like: { sample: like, ...networkNamed(query.by) } }),
    ...(run && {
      run,
      outcome: chosen(outcomes, query.outcome),
      predicted: numberIn(query.predicted),
      part: chosen(parts, query.part),
      order: chosen(orders, query.order),
    }),
  };
}
