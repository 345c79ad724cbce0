import type { TensorSource, TensorSpec } from '../formats/weights/tensor-source.ts';
import { architecturesIn, nearestArchitecture } from './network-file.ts';

/** More tensors than a file of one of the networks here has, with an optimizer's beside it: nothing is looked for among them. */
const mostTensors = 10_000;

/** What is known of a file's tensors before one is read. */
export type Listed = Pick<TensorSource, 'name' | 'metadata' | 'tensors' | 'notes'>;

/** Parts of names that wrappers put in front: DataParallel's, a training program's own, torch.compile's. */
const mostParts = 4;
/** A prefix of fewer of a file's tensors is a layer's, not a wrapper's. */
const leastShare = 0.2;

/** Those tensors of a file whose names begin with `prefix`, without it. */
export function subtree<Source extends Listed & { read(tensor: string): unknown }>(
  source: Source,
  prefix: string,
): Source {
  if (prefix === '') return source;
  const read = (tensor: string) => source.read(prefix + tensor);
  return { ...source, tensors: namesUnder(source.tensors, prefix), read };
}

const namesUnder = (tensors: TensorSource['tensors'], prefix: string): Map<string, TensorSpec> =>
  new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, spec]) => [name.slice(prefix.length), spec]),
  );

/**
 * What stands before the names of the network in a file, e.g. `module.model.`; empty where nothing does. There may be other
 * tensors in the file: a loss function's, a second encoder's. Where nothing in it is one of the `candidates`, what comes nearest.
 */
export function networkPrefix(file: Listed, candidates: readonly string[]): string {
  const part = (prefix: string): TensorSource => ({
    ...file,
    tensors: namesUnder(file.tensors, prefix),
    read: () => new Float32Array(),
  });
  const is = (prefix: string) => architecturesIn(part(prefix), candidates).length > 0;
  if (file.tensors.size > mostTensors || is('')) return '';
  const prefixes = ['', ...frequentPrefixes([...file.tensors.keys()])];
  const exact = prefixes.find(is);
  if (exact !== undefined) return exact;
  const [nearest] = prefixes
    .map((prefix) => {
      const inside = part(prefix);
      // What is left out differs, too: else a single layer would be near to the smallest network.
      const left = file.tensors.size - inside.tensors.size;
      return { prefix, count: left + nearestArchitecture(inside, candidates).count };
    })
    .sort((a, b) => a.count - b.count);
  return nearest.prefix;
}

/** Beginnings of so many names that a network may lie behind them, in the file's order, the shorter before the longer. */
function frequentPrefixes(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const parts = name.split('.').slice(0, -1);
    for (let length = 1; length <= Math.min(mostParts, parts.length); length++) {
      const prefix = `${parts.slice(0, length).join('.')}.`;
      counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, count]) => count >= leastShare * names.length).map(([prefix]) => prefix);
}

/** What a person should know of the tensors that were taken. */
export function prefixNotes({ tensors }: Listed, prefix: string): string[] {
  if (prefix === '') return [];
  const left = [...tensors].filter(([name, { shape }]) => !name.startsWith(prefix) && shape.length > 0);
  const shown = left.slice(0, 3).map(([name]) => name);
  return [
    `Names of tensors lost their prefix “${prefix}”.`,
    ...(left.length > 0
      ? [`Tensors without it are left out: ${left.length}, such as ${shown.join(', ')}.`]
      : []),
  ];
}
