import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays } from '../engine/engine.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import type { TensorSource } from '../formats/weights/tensor-source.ts';
import { withAdaptersOf } from './adapters.ts';
import { type Backbone, type Padding, sourceHead, type TensorDescription } from './backbone.ts';
import { buildBackbone } from './build.ts';
import type { Description } from './description.ts';
import { dialectOf, torchvisionNaming } from './index.ts';
import { toTf } from './layouts.ts';
import { packTensors } from './packed-source.ts';
import { architectureNamed } from './registry.ts';

/** A weights file whose tensors are exactly those of its network. No tensor is read yet. */
export interface NetworkFile {
  source: TensorSource;
  description: Description;
  backbone: Backbone;
  /** Classes of the head in the file; 0 where it has none. */
  classes: number;
  /** The backbone's tensors, and the head's where the file has it. */
  tensors: TensorDescription[];
  /** The file's own name of each tensor, whichever library's. */
  names: Map<string, string>;
}

/** How a file's tensors differ from those of a network; all empty where they are the same. */
interface Mismatch {
  missing: string[];
  misshapen: string[];
  unexpected: string[];
}

/** Opens a kept weights file as the network it should be. Throws as `openNetwork` does. */
export const openNetworkFile = (path: string, architecture: string, padding: Padding): NetworkFile =>
  openNetwork(openSafetensors(path), architecture, padding);

/** Tensors as the network they should be. Throws `bad-input` with what is missing, misshapen or unexpected. */
export function openNetwork(source: TensorSource, architecture: string, padding: Padding): NetworkFile {
  const { file, mismatch } = match(source, architecture, padding);
  if (differences(mismatch) > 0)
    throw new CotuneError(
      'bad-input',
      `${source.name} does not hold the weights of a ${architecture} with torchvision's, timm's or transformers' names: ${listed(mismatch)}.`,
      'Check the architecture. --dry-run shows which tensor is taken for which.',
    );
  return file;
}

/** The architectures of which a file holds exactly the tensors. */
export const architecturesIn = (source: TensorSource, candidates: readonly string[]): string[] =>
  candidates.filter((architecture) => differences(match(source, architecture, 'symmetric').mismatch) === 0);

/** The architecture that a file differs from least, and how: in how many tensors, and in words. */
export function nearestArchitecture(
  source: TensorSource,
  candidates: readonly string[],
): { architecture: string; count: number; differs: string; file: NetworkFile } {
  const [best] = candidates
    .map((architecture) => ({ architecture, ...match(source, architecture, 'symmetric') }))
    .sort((a, b) => differences(a.mismatch) - differences(b.mismatch));
  const { architecture, mismatch, file } = best;
  return { architecture, count: differences(mismatch), differs: listed(mismatch), file };
}

const differences = ({ missing, misshapen, unexpected }: Mismatch): number =>
  missing.length + misshapen.length + unexpected.length;

/** What differs, as a list in words; empty where nothing does. */
const listed = ({ missing, misshapen, unexpected }: Mismatch): string =>
  [
    complaint(missing, 'missing'),
    complaint(misshapen, 'of another shape'),
    complaint(unexpected, 'not part of it'),
  ]
    .filter(Boolean)
    .join('; ');

function match(given: TensorSource, architecture: string, padding: Padding) {
  const nameOf = torchvisionNaming(architecture);
  const packed = architectureNamed(architecture).packed?.({ width: 1 });
  const source = packed ? packTensors(given, nameOf, packed) : given;
  const unused = dialectOf(architecture, [...given.tensors.keys()])?.unused ?? [];
  const names = new Map<string, string>();
  for (const name of source.tensors.keys())
    if (!name.endsWith('.num_batches_tracked') && !unused.some((layer) => name.startsWith(`${layer}.`)))
      names.set(nameOf(name), name);
  const shapeOf = (name: string): number[] | undefined => {
    const shape = source.tensors.get(names.get(name) ?? '')?.shape;
    return shape && [...shape];
  };
  const sizes = architectureNamed(architecture).sizesOf?.(shapeOf) ?? { width: 1 };
  const description = withAdaptersOf(architectureNamed(architecture).describe(sizes), shapeOf);
  const backbone = buildBackbone(description, padding);
  const head = sourceHead(backbone, shapeOf(`${backbone.head}.weight`)?.[0] ?? 1);
  // A file without any of its head is welcome: a backbone is all that plain fine-tuning needs.
  const headless = head.every(({ name }) => !names.has(name));
  const classes = headless ? 0 : (shapeOf(`${backbone.head}.weight`)?.[0] ?? 1);
  const tensors = headless ? backbone.tensors : [...backbone.tensors, ...head];

  const mismatch: Mismatch = { missing: [], misshapen: [], unexpected: [] };
  for (const { name, shape } of tensors) {
    const found = shapeOf(name);
    if (!found) mismatch.missing.push(name);
    else if (!sameOrder(found, shape)) mismatch.misshapen.push(`${name} [${found}] instead of [${shape}]`);
  }
  const wanted = new Set(tensors.map((tensor) => tensor.name));
  for (const [name, original] of names) if (!wanted.has(name)) mismatch.unexpected.push(original);
  return { file: { source, description, backbone, classes, tensors, names }, mismatch };
}

/** Whether tensors of two shapes hold the same numbers in the same order: axes of 1 apart, or flattened behind the first. */
function sameOrder(found: readonly number[], shape: readonly number[]): boolean {
  const longer = (extents: readonly number[]) => extents.filter((extent) => extent > 1).join();
  if (longer(found) === longer(shape)) return true;
  const flat = ([first, ...rest]: readonly number[]) => [first, rest.reduce((a, b) => a * b, 1)].join();
  return Math.min(found.length, shape.length) === 2 && flat(found) === flat(shape);
}

function complaint(list: string[], what: string): string {
  const shown = list.slice(0, 5).join(', ') + (list.length > 5 ? ', …' : '');
  return list.length === 0 ? '' : `${list.length} tensor${list.length === 1 ? '' : 's'} ${what} (${shown})`;
}

/** Reads tensors of a network file into tf.js layouts under torchvision's names. */
export const readNetwork = ({ source, names }: NetworkFile, tensors: TensorDescription[]): Arrays =>
  Object.fromEntries(
    tensors.map((tensor) => [tensor.name, toTf(tensor, source.read(names.get(tensor.name)!))]),
  );
