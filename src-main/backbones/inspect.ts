import { basename } from 'node:path';
import type { Model, Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { type ClassFile, fitClasses } from '../formats/class-names/read-class-file.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import type { TensorSource } from '../formats/weights/tensor-source.ts';
import type { Arithmetic } from './architecture.ts';
import type { Padding } from './backbone.ts';
import { dialectOf } from './index.ts';
import { fromMetadata } from './model-metadata.ts';
import { architecturesIn, type NetworkFile, nearestArchitecture, openNetwork } from './network-file.ts';
import { architectureNamed, architectureNames, twinNamed } from './registry.ts';

/** What a person says about a weights file; it wins over the file's own metadata. */
export interface ModelOverrides {
  architecture?: string;
  padding?: Padding;
  preprocessing?: Partial<Preprocessing>;
  /** Names of the source classes in the order of the head's outputs. */
  classes?: ClassFile;
}

/** Mean and deviation of ImageNet's pixels: what torchvision's and most of timm's networks were trained with. */
const imagenet = {
  mean: [0.485, 0.456, 0.406] as Preprocessing['mean'],
  std: [0.229, 0.224, 0.225] as Preprocessing['std'],
};

/** What is known of a kept weights file: see `inspectNetwork`. */
export const inspectModelFile = (path: string, overrides?: ModelOverrides): Promise<NetworkFacts> =>
  inspectNetwork(openSafetensors(path), overrides);

/** Of a network of images. */
export type NetworkFacts = Omit<Model, 'id' | 'name' | 'hash' | 'addedAt' | 'text'> & {
  preprocessing: Preprocessing;
};

/**
 * Everything there is to know about the tensors of a network: from `overrides`, else its metadata, else its tensors and
 * their names, else torchvision's defaults (symmetric padding, ε = 1e-5, 224 px after a resize to 256, ImageNet's mean and deviation).
 * Throws `bad-input` where tensors are missing, misshapen, unexpected or not finite, or the class names do not fit.
 */
export async function inspectNetwork(
  source: TensorSource,
  overrides: ModelOverrides = {},
): Promise<NetworkFacts> {
  const said = fromMetadata(source.name, source.metadata);
  const named = overrides.architecture ?? said.architecture ?? onlyArchitecture(source);
  const { name: architecture } = architectureNamed(named);
  const { arithmetic, notes } = arithmeticOf(source, named);
  const padding = overrides.padding ?? said.padding ?? arithmetic.padding ?? 'symmetric';
  const file = openNetwork(source, architecture, padding);
  await checkValues(file);
  const inputSize = overrides.preprocessing?.inputSize ?? said.preprocessing.inputSize ?? 224;
  return {
    architecture,
    padding,
    batchNormEpsilon: said.batchNormEpsilon ?? arithmetic.batchNormEpsilon ?? file.backbone.batchNorm.epsilon,
    preprocessing: {
      resizeShorter: Math.round((inputSize * 256) / 224),
      ...imagenet,
      ...said.preprocessing,
      ...overrides.preprocessing,
      inputSize,
    },
    sourceClasses: sourceClasses(file, overrides.classes, said.classNames),
    temperature: said.temperature ?? null,
    parameters: file.tensors
      .filter(({ kind }) => kind !== 'running')
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    origin: said.origin ?? basename(source.name),
    notes: [
      ...source.notes,
      ...(said.padding === undefined ? notes : []),
      ...(file.classes === 0
        ? ['The file has no source head: co-tuning and relationships need one, fine-tuning does not.']
        : []),
      ...(file.classes > 0 && !overrides.classes && !said.classNames
        ? [
            `Nothing names its ${file.classes} source classes, which are called by their numbers; add it again with ${file.classes === 1000 ? '--classes imagenet-1k, or ' : ''}--classes and a file of names.`,
          ]
        : []),
      ...(overrides.classes?.notes ?? []),
    ],
  };
}

/**
 * What a file's network computes otherwise than torchvision's: its library's networks do, or a twin of its own. A twin is told by
 * the name that was given, or by that of the file.
 */
function arithmeticOf(
  { name: path, tensors }: TensorSource,
  named: string,
): { arithmetic: Arithmetic; notes: string[] } {
  const architecture = architectureNamed(named);
  const dialect = dialectOf(architecture.name, [...tensors.keys()]);
  const twins = architecture.twins?.filter(({ library }) => library === dialect?.library) ?? [];
  const twin = twinNamed(architecture, named) ?? twins.find(({ name }) => basename(path).startsWith(name));
  const isSure = named !== architecture.name || twins.length === 0;
  return {
    arithmetic: twin ?? dialect ?? {},
    notes: isSure
      ? []
      : twin
        ? [`Taken for ${twin.name}, as the file is called; --architecture says otherwise.`]
        : twins.map(
            ({ name, library }) =>
              `${library} has another network with these tensors, which pads and normalizes otherwise: if this is ${name}, add it again with --architecture ${name}.`,
          ),
  };
}

function onlyArchitecture(source: TensorSource): string {
  const fitting = architecturesIn(source, architectureNames());
  if (fitting.length === 1) return fitting[0];
  const { architecture, differs } = nearestArchitecture(source, architectureNames());
  throw new CotuneError(
    'bad-input',
    `${source.name} is no network that is known here. The nearest is ${architecture}, from which it differs: ${differs}.`,
    `Known: ${architectureNames().join(', ')}. --dry-run shows which tensor is taken for which.`,
  );
}

function sourceClasses(
  { source, classes }: NetworkFile,
  given: ClassFile | undefined,
  said: string[] | undefined,
): string[] {
  if (classes === 0) {
    if (!given) return [];
    throw new CotuneError(
      'bad-input',
      `${source.name} has no source head, so that there is nothing to name with ${given.path}.`,
      'Leave the class names out, or add the network with its head.',
    );
  }
  if (given) return fitClasses(given, classes, `the head of ${source.name}`);
  if (!said) return Array.from({ length: classes }, (_, index) => `class ${index}`);
  if (said.length !== classes)
    throw new CotuneError(
      'bad-input',
      `${source.name}: its head has ${classes} classes, and its metadata names ${said.length}.`,
      'Give the class names in a file, in the order of the head’s outputs.',
    );
  return said;
}

/** A weight that is no number, or a negative variance, would only show as NaN in the middle of a training. */
async function checkValues({ source, tensors, names }: NetworkFile): Promise<void> {
  for (const { name } of tensors) {
    const original = names.get(name)!;
    const values = source.read(original);
    const variance = name.endsWith('.running_var');
    const bad = values.findIndex((value) => !Number.isFinite(value) || (variance && value < 0));
    if (bad >= 0)
      throw new CotuneError(
        'bad-input',
        `${source.name}: tensor "${original}" has the value ${values[bad]} at index ${bad}.`,
        'Export the weights again.',
      );
    // Whoever else this process serves has a turn between two tensors.
    await new Promise(setImmediate);
  }
}
