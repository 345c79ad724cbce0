import { nearestArchitecture } from './network-file.ts';
import { type Listed, networkPrefix, subtree } from './subtree.ts';

/** Which tensor of a file is taken for which tensor of a network. */
export interface Mapping {
  /** The network of the candidates that the file differs from least. */
  architecture: string;
  /** How it differs, in words; empty where it does not. */
  differs: string;
  /** Classes of the head in the file; 0 where it has none. */
  classes: number;
  tensors: { file: string; network: string | null; shape: number[] }[];
}

/** Finds the network that a file is, or is nearest to. No tensor is read. */
export function mappingOf(given: Listed, candidates: readonly string[]): Mapping {
  const prefix = networkPrefix(given, candidates);
  const source = subtree({ ...given, read: () => new Float32Array() }, prefix);
  const { architecture, differs, file } = nearestArchitecture(source, candidates);
  const wanted = new Set(file.tensors.map(({ name }) => name));
  const networkName = new Map([...file.names].map(([network, original]) => [prefix + original, network]));
  const tensors = [...given.tensors].map(([name, { shape }]) => {
    const network = networkName.get(name);
    return { file: name, network: network && wanted.has(network) ? network : null, shape: [...shape] };
  });
  return { architecture, differs, classes: file.classes, tensors };
}
