import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays } from '../engine/engine.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import type { TensorSource } from '../formats/weights/tensor-source.ts';
import { type Backbone, type Padding, sourceHead, type TensorDescription } from './backbone.ts';
import { createBackbone, torchvisionNaming } from './index.ts';
import { toTf } from './layouts.ts';
import { packTensors } from './packed-source.ts';
import { architectureNamed } from './registry.ts';

/** A weights file whose tensors are exactly those of its network. No tensor is read yet. */
export interface NetworkFile {
  source: TensorSource;
  backbone: Backbone;
  /** Classes of the head in the file. */
  classes: number;
  /** The backbone's and the head's tensors. */
  tensors: TensorDescription[];
  /** The file's own name (torchvision's or timm's) of each tensor. */
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
  const complaints = [
    complaint(mismatch.missing, 'missing'),
    complaint(mismatch.misshapen, 'of another shape'),
    complaint(mismatch.unexpected, 'not part of it'),
  ].filter(Boolean);
  if (complaints.length > 0)
    throw new CotuneError(
      'bad-input',
      `${source.name} does not hold the weights of a ${architecture} with torchvision's or timm's names: ${complaints.join('; ')}.`,
      'Check the architecture, and that the file holds the whole network with its head.',
    );
  return file;
}

/** The architectures of which a file holds exactly the tensors. */
export const architecturesIn = (source: TensorSource, candidates: readonly string[]): string[] =>
  candidates.filter((architecture) =>
    Object.values(match(source, architecture, 'symmetric').mismatch).every((list) => list.length === 0),
  );

function match(given: TensorSource, architecture: string, padding: Padding) {
  const nameOf = torchvisionNaming(architecture);
  const packed = architectureNamed(architecture).packed?.({ width: 1 });
  const source = packed ? packTensors(given, nameOf, packed) : given;
  const names = new Map<string, string>();
  for (const name of source.tensors.keys())
    if (!name.endsWith('.num_batches_tracked')) names.set(nameOf(name), name);
  const shapeOf = (name: string): number[] | undefined => {
    const shape = source.tensors.get(names.get(name) ?? '')?.shape;
    return shape && [...shape];
  };
  const sizes = architectureNamed(architecture).sizesOf?.(shapeOf) ?? { width: 1 };
  const backbone = createBackbone({ architecture, padding, ...sizes });
  const classes = shapeOf(`${backbone.head}.weight`)?.[0] ?? 1;
  const tensors = [...backbone.tensors, ...sourceHead(backbone, classes)];

  const mismatch: Mismatch = { missing: [], misshapen: [], unexpected: [] };
  for (const { name, shape } of tensors) {
    const found = shapeOf(name);
    if (!found) mismatch.missing.push(name);
    else if (!sameOrder(found, shape)) mismatch.misshapen.push(`${name} [${found}] instead of [${shape}]`);
  }
  const wanted = new Set(tensors.map((tensor) => tensor.name));
  for (const [name, original] of names) if (!wanted.has(name)) mismatch.unexpected.push(original);
  return { file: { source, backbone, classes, tensors, names }, mismatch };
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
