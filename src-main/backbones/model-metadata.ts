import { type Model, Preprocessing } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { resizes } from '../data/resizes/index.ts';
import { architectureNames, findArchitecture } from './registry.ts';

/** What a weights file may say about its network, beside the tensors. */
export type ModelFacts = Pick<
  Model,
  'architecture' | 'padding' | 'batchNormEpsilon' | 'temperature' | 'origin'
> & { preprocessing: Preprocessing; classNames: string[] };

/**
 * Reads a safetensors file's metadata, strings under the keys that `toMetadata` writes. What is absent is absent in the
 * result. Throws `bad-input` naming the key where a value makes no sense.
 */
export function fromMetadata(
  path: string,
  metadata: Record<string, string>,
): Partial<Omit<ModelFacts, 'preprocessing'>> & { preprocessing: Partial<Preprocessing> } {
  const read = <T>(key: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const text = metadata[key];
    if (text === undefined) return undefined;
    const value = parse(text);
    if (value === undefined)
      throw new CotuneError(
        'bad-input',
        `${path}: its metadata has ${key} "${text}"; expected ${expected}.`,
        'Correct the metadata, or remove the key and say it when adding the model.',
      );
    return value;
  };
  const triple = (text: string) => Preprocessing.shape.mean.safeParse(text.split(',').map(Number)).data;
  const pixels = (text: string) => Preprocessing.shape.inputSize.safeParse(Number(text)).data;
  return dropAbsent({
    architecture: read(
      'architecture',
      (text) => (findArchitecture(text) ? text : undefined),
      architectureNames().join(', '),
    ),
    padding: read(
      'padding',
      (text) => (text === 'same' || text === 'symmetric' ? text : undefined),
      'symmetric or same',
    ),
    batchNormEpsilon: read('bn_eps', positive, 'a positive number'),
    temperature: read('temperature', positive, 'a positive number'),
    classNames: read('class_names', nameList, 'a JSON list of names'),
    origin: metadata.origin,
    preprocessing: dropAbsent({
      inputSize: read('input_size', pixels, 'a number of pixels'),
      resizeShorter: read('resize_shorter', pixels, 'a number of pixels'),
      mean: read('mean', triple, 'three numbers with commas'),
      std: read(
        'std',
        (text) => (triple(text)?.every((value) => value > 0) ? triple(text) : undefined),
        'three positive numbers with commas',
      ),
      resize: read(
        'resize',
        (text) => resizes.find(({ name }) => name === text)?.name,
        resizes.map(({ name }) => name).join(', '),
      ),
    }),
  });
}

/** The metadata with which `cotune models add` needs nothing else. */
export function toMetadata(facts: ModelFacts): Record<string, string> {
  const { preprocessing: pixels } = facts;
  return {
    format: 'pt',
    architecture: facts.architecture,
    padding: facts.padding,
    bn_eps: String(facts.batchNormEpsilon),
    input_size: String(pixels.inputSize),
    resize_shorter: String(pixels.resizeShorter),
    mean: pixels.mean.join(','),
    std: pixels.std.join(','),
    ...(pixels.resize === undefined ? {} : { resize: pixels.resize }),
    class_names: JSON.stringify(facts.classNames),
    origin: facts.origin,
    ...(facts.temperature === null ? {} : { temperature: String(facts.temperature) }),
  };
}

const positive = (text: string): number | undefined =>
  Number(text) > 0 && Number.isFinite(Number(text)) ? Number(text) : undefined;

function nameList(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

const dropAbsent = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
