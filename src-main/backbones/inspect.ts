import { basename } from 'node:path';
import { type Architecture, architectures, type Model, type Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { readSafetensorsHeader, readTensors } from '../formats/safetensors.ts';
import type { Padding } from './backbone.ts';
import { fromMetadata } from './model-metadata.ts';
import { architecturesIn, type NetworkFile, openNetworkFile } from './network-file.ts';

/** What a person says about a weights file; it wins over the file's own metadata. */
export interface ModelOverrides {
  architecture?: Architecture;
  padding?: Padding;
  preprocessing?: Partial<Preprocessing>;
  /** Names of the source classes in the order of the head's outputs. */
  classes?: string[];
}

/** Mean and deviation of ImageNet's pixels: what torchvision's and most of timm's networks were trained with. */
const imagenet = {
  mean: [0.485, 0.456, 0.406] as Preprocessing['mean'],
  std: [0.229, 0.224, 0.225] as Preprocessing['std'],
};

/**
 * Everything there is to know about a weights file: from `overrides`, else its metadata, else its tensors, else
 * torchvision's defaults (symmetric padding, ε = 1e-5, 224 px after a resize to 256, ImageNet's mean and deviation).
 * Throws `bad-input` where tensors are missing, misshapen, unexpected or not finite, or the class names do not fit.
 */
export async function inspectModelFile(
  path: string,
  overrides: ModelOverrides = {},
): Promise<Omit<Model, 'id' | 'name' | 'hash' | 'addedAt'>> {
  const header = readSafetensorsHeader(path);
  const said = fromMetadata(path, header.metadata);
  const architecture = overrides.architecture ?? said.architecture ?? onlyArchitecture(path);
  const padding = overrides.padding ?? said.padding ?? 'symmetric';
  const file = openNetworkFile(path, architecture, padding);
  checkValues(path, file);
  const inputSize = overrides.preprocessing?.inputSize ?? said.preprocessing.inputSize ?? 224;
  return {
    architecture,
    padding,
    batchNormEpsilon: said.batchNormEpsilon ?? 1e-5,
    preprocessing: {
      resizeShorter: Math.round((inputSize * 256) / 224),
      ...imagenet,
      ...said.preprocessing,
      ...overrides.preprocessing,
      inputSize,
    },
    sourceClasses: sourceClasses(path, file.classes, overrides.classes ?? said.classNames),
    temperature: said.temperature ?? null,
    parameters: file.tensors
      .filter(({ kind }) => kind !== 'running')
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    origin: said.origin ?? basename(path),
  };
}

function onlyArchitecture(path: string): Architecture {
  const fitting = architecturesIn(readSafetensorsHeader(path), architectures);
  if (fitting.length === 1) return fitting[0];
  throw new CotuneError(
    'bad-input',
    `${path} does not say its architecture, and its tensors are those of none that is known here.`,
    `Name it with --architecture to see what differs; known: ${architectures.join(', ')}.`,
  );
}

function sourceClasses(path: string, count: number, names: string[] | undefined): string[] {
  if (!names) return Array.from({ length: count }, (_, index) => `class ${index}`);
  if (names.length !== count)
    throw new CotuneError(
      'bad-input',
      `${path}: its head has ${count} classes, and ${names.length} class names are given.`,
      'Give one name per line, in the order of the head’s outputs.',
    );
  return names;
}

/** A weight that is no number, or a negative variance, would only show as NaN in the middle of a training. */
function checkValues(path: string, file: NetworkFile): void {
  for (const { name } of file.tensors) {
    const original = file.names.get(name)!;
    const values = readTensors(file.header, [original]).get(original)!;
    const variance = name.endsWith('.running_var');
    const bad = values.findIndex((value) => !Number.isFinite(value) || (variance && value < 0));
    if (bad >= 0)
      throw new CotuneError(
        'bad-input',
        `${path}: tensor "${original}" has the value ${values[bad]} at index ${bad}.`,
        'Export the weights again.',
      );
  }
}
