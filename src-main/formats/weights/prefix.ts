import type { TensorSource } from './tensor-source.ts';

/** What wrappers put before every name: DataParallel, training programs' own classes, torch.compile. */
const prefixes = ['module.', 'model.', '_orig_mod.', 'net.', 'network.'];

/**
 * The prefix that wrappers put before all names of a network, e.g. `module.model.`; empty where there is none. A single number
 * beside the weights, such as a counter, does not have to have it.
 */
export function wrapperPrefix(tensors: TensorSource['tensors']): string {
  let names = [...tensors].filter(([, { shape }]) => shape.length > 0).map(([name]) => name);
  let found = '';
  for (;;) {
    const prefix = prefixes.find((one) => names.length > 0 && names.every((name) => name.startsWith(one)));
    if (prefix === undefined) return found;
    found += prefix;
    names = names.map((name) => name.slice(prefix.length));
  }
}
