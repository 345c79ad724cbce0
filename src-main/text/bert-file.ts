/** A BERT as it is kept in the data folder: one safetensors file that says all of itself. */
import { z } from 'zod';
import { TextInput } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { withAdaptersOf } from '../backbones/adapters.ts';
import { buildBackbone } from '../backbones/build.ts';
import type { NetworkFile } from '../backbones/network-file.ts';
import { bert, type TextHead } from '../backbones/networks/bert.ts';
import { openSafetensors } from '../formats/weights/safetensors.ts';
import { matchBert } from './open-bert.ts';
import { openTokenizer, type Tokenizer, type TokenizerSettings } from './tokenizer.ts';

/** Name of the new head's last layer in the file of a trained network, as in Hugging Face's transformers. */
export const classifier = 'classifier';

const Names = z.array(z.string());

/** The metadata of such a file; `outputs` are the names of a trained head's. */
export const bertMetadata = (
  input: TextInput,
  vocabulary: readonly string[],
  origin: string,
  outputs?: readonly string[],
): Record<string, string> => ({
  format: 'pt',
  architecture: architectureOf(input),
  bert: JSON.stringify(input),
  vocabulary: JSON.stringify(vocabulary),
  origin,
  ...(outputs && { class_names: JSON.stringify(outputs) }),
});

/** What a BERT is called by its layers and their width: `bert-4x256`. */
export const architectureOf = ({ layers, hidden }: Pick<TextInput, 'layers' | 'hidden'>): string =>
  `bert-${layers}x${hidden}`;

export interface BertFile {
  file: NetworkFile;
  input: TextInput;
  tokenizer: Tokenizer;
  /** Names of a trained head's outputs; empty where there is none. */
  outputs: string[];
}

/** The settings of the tokenizer that belongs to a BERT. */
const settingsOf = (
  { lowercase, stripAccents, splitIdeographs, longestWord }: TextInput,
  vocabulary: readonly string[],
): TokenizerSettings => ({ lowercase, stripAccents, splitIdeographs, longestWord, vocabulary });

/**
 * Opens one, with a new head of that kind to come, or to be read where the file has one. No tensor is read yet. Errors: `bad-input`
 * where it is no such file.
 */
export function openBertFile(path: string, newHead: TextHead): BertFile {
  const source = openSafetensors(path);
  const { bert: numbers, vocabulary, class_names: classNames = '[]' } = source.metadata;
  if (numbers === undefined || vocabulary === undefined)
    throw new CotuneError('bad-input', `${path} is no BERT as it is kept here.`, 'Add the network again.');
  const input = TextInput.parse(JSON.parse(numbers));
  const pieces = Names.parse(JSON.parse(vocabulary));
  const outputs = Names.parse(JSON.parse(classNames));
  const { tensors, names, hasHead } = matchBert(path, source.tensors, input);
  const description = withAdaptersOf(bert(input, newHead), (name) => source.tensors.get(name)?.shape.slice());
  const backbone = buildBackbone(description, 'symmetric');
  const own = new Map([...names, ...[...source.tensors.keys()].map((name) => [name, name] as const)]);
  const head = outputs.length > 0 ? backbone.headTensors(classifier, outputs.length) : [];
  const known = new Set(tensors.map(({ name }) => name));
  return {
    file: {
      source,
      description,
      backbone,
      classes: hasHead ? input.vocabulary : 0,
      tensors: [...tensors, ...[...backbone.tensors, ...head].filter(({ name }) => !known.has(name))],
      names: own,
    },
    input,
    tokenizer: openTokenizer(settingsOf(input, pieces)),
    outputs,
  };
}
