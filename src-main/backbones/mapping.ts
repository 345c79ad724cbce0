import { wrapperPrefix } from '../formats/weights/prefix.ts';
import type { TensorSource } from '../formats/weights/tensor-source.ts';
import { nearestArchitecture } from './network-file.ts';

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
export function mappingOf(
  given: Pick<TensorSource, 'name' | 'metadata' | 'tensors' | 'notes'>,
  candidates: readonly string[],
): Mapping {
  const prefix = wrapperPrefix(given.tensors);
  const bare = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const source: TensorSource = {
    ...given,
    tensors: new Map([...given.tensors].map(([name, spec]) => [bare(name), spec])),
    read: () => new Float32Array(),
  };
  const { architecture, differs, file } = nearestArchitecture(source, candidates);
  const wanted = new Set(file.tensors.map(({ name }) => name));
  const networkName = new Map([...file.names].map(([network, original]) => [original, network]));
  const tensors = [...given.tensors].map(([name, { shape }]) => {
    const network = networkName.get(bare(name));
    return { file: name, network: network && wanted.has(network) ? network : null, shape: [...shape] };
  });
  return { architecture, differs, classes: file.classes, tensors };
}
