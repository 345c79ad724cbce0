/** Which series share a plot, in which order and with which words. */
import type { MetricSeries } from '../../src-shared/contract.ts';

export interface CurveGroup {
  title: string;
  names: string[];
}

const groups: { title: string; holds: (name: string) => boolean }[] = [
  { title: 'Loss', holds: (name) => name.includes('loss') || name.includes('nll') },
  { title: 'Accuracy', holds: (name) => name.includes('accuracy') },
  { title: 'Learning rate', holds: (name) => name === 'lr' || name.includes('learning_rate') },
  { title: 'Images per second', holds: (name) => name === 'images_per_s' },
];

/** Groups every series into plots; a series no group knows gets a plot of its own. */
export function curveGroups(series: MetricSeries): CurveGroup[] {
  const names = Object.keys(series);
  const known = groups.flatMap(({ title, holds }) => {
    const held = names.filter(holds).sort((a, b) => a.length - b.length || a.localeCompare(b));
    return held.length > 0 ? [{ title, names: held }] : [];
  });
  const held = new Set(known.flatMap((group) => group.names));
  const rest = names
    .filter((name) => !held.has(name))
    .map((name) => ({ title: seriesTitle(name), names: [name] }));
  return [...known, ...rest];
}

/** `val_accuracy` → `val accuracy`. */
export const seriesTitle = (name: string): string => name.replaceAll('_', ' ');
