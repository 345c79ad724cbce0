/** Which series share a plot, in which order, with which words and colors. */
import type { MetricSeries } from '../../src-shared/contract.ts';

interface Curve {
  name: string;
  /** Short, for the legend of its plot. */
  label: string;
  color: string;
}

export interface CurveGroup {
  title: string;
  curves: Curve[];
}

const groups: { title: string; holds: (name: string) => boolean }[] = [
  { title: 'Loss', holds: (name) => name.includes('loss') || name.includes('nll') },
  { title: 'Entity F1', holds: (name) => name.endsWith('entity_f1') },
  { title: 'Accuracy', holds: (name) => name.includes('accuracy') },
  { title: 'Learning rate', holds: (name) => name === 'lr' || name.includes('learning_rate') },
  { title: 'Samples per second', holds: (name) => name === 'images_per_s' },
];

/** Known series in the order of their plots' legends; others follow by name. */
const known: Record<string, { label: string; color: string }> = {
  loss: { label: 'total', color: 'var(--series-1)' },
  target_loss: { label: 'target', color: 'var(--series-3)' },
  source_loss: { label: 'source', color: 'var(--series-2)' },
  val_nll: { label: 'val', color: 'var(--series-4)' },
  train_accuracy: { label: 'train', color: 'var(--series-3)' },
  val_accuracy: { label: 'val', color: 'var(--series-4)' },
  val_entity_f1: { label: 'val', color: 'var(--series-4)' },
};
const order = Object.keys(known);
const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);

/** `val_accuracy` → `val accuracy`. */
const seriesTitle = (name: string): string => name.replaceAll('_', ' ');

/** Groups every series into plots; a series no group knows gets a plot of its own. */
export function curveGroups(series: MetricSeries): CurveGroup[] {
  const names = Object.keys(series)
    .filter((name) => !sameAsTarget(name, series))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const curve = (name: string): Curve => ({
    name,
    ...(known[name] ?? { label: seriesTitle(name), color: 'var(--series-1)' }),
  });
  const grouped = groups.flatMap(({ title, holds }) => {
    const held = names.filter(holds).map(curve);
    return held.length > 0 ? [{ title, curves: held }] : [];
  });
  const held = new Set(grouped.flatMap(({ curves }) => curves.map(({ name }) => name)));
  const rest = names.filter((name) => !held.has(name));
  return [...grouped, ...rest.map((name) => ({ title: plotTitle(name), curves: [curve(name)] }))];
}

/** Words of series that a person knows by others. */
const words: Record<string, string> = { val: 'validation', f1: 'F1', nll: 'NLL', lr: 'learning rate' };

/** `gradient_norm` → `Gradient norm`, `val_entity_f1` → `Validation entity F1`. */
export function plotTitle(name: string): string {
  if (name === 'images_per_s') return 'Samples per second';
  const title = name
    .split('_')
    .map((word) => words[word] ?? word)
    .join(' ');
  return title.charAt(0).toUpperCase() + title.slice(1);
}

/** Without a source term the total loss is the target loss: one line is enough. */
function sameAsTarget(name: string, { loss, target_loss: target }: MetricSeries): boolean {
  if (name !== 'loss' || !target || target.length !== loss.length) return false;
  return loss.every(({ value }, index) => value === target[index].value);
}
