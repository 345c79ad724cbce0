import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import type { TensorDescription } from '../backbones/backbone.ts';
import { buildBackbone } from '../backbones/build.ts';
import { toTf } from '../backbones/layouts.ts';
import { type Bert, bert } from '../backbones/networks/bert.ts';
import type { Arrays } from '../engine/engine.ts';
import { openWeights } from '../formats/weights/open.ts';
import type { Network } from '../transfer/network.ts';
import { bertOf } from './bert-config.ts';
import { bertName } from './bert-names.ts';
import { openTokenizer, type Tokenizer, type TokenizerSettings } from './tokenizer.ts';
import { jsonOf, tokenizerSettings } from './tokenizer-files.ts';

/** A BERT as it lies in a folder of Hugging Face's. */
export interface OpenedBert {
  numbers: Bert;
  network: Network;
  tokenizer: Tokenizer;
  /** Backbone, and source head and pooler where they are there, in tf.js layouts. */
  weights: Arrays;
  /** What a person should know. */
  notes: string[];
}

const weightFiles = ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'];

/** The network of a masked language model without weights. */
export const bertNetwork = (numbers: Bert): Network => ({
  backbone: buildBackbone(bert(numbers, 'pieces'), 'symmetric'),
  batchNormEpsilon: 1e-5,
  sourceClasses: numbers.vocabulary,
  targetClasses: 1,
});

/** What a folder says of a BERT beside its weights. */
export interface BertFolder {
  numbers: Bert;
  tokenizer: TokenizerSettings;
  /** Absolute path of the weights. */
  weights: string;
}

/** Reads config.json and the tokenizer of a folder. Errors: `not-found` where a file is missing; `bad-input` where they do not belong together. */
export function readBertFolder(folder: string): BertFolder {
  const config = join(folder, 'config.json');
  const weights = weightFiles.map((name) => join(folder, name)).find(existsSync);
  if (!existsSync(config) || !weights)
    throw new CotuneError(
      'not-found',
      `${folder} lacks ${existsSync(config) ? weightFiles.join(' or ') : 'config.json'}.`,
      'Give a folder as Hugging Face’s transformers writes it.',
    );
  const numbers = bertOf(config, jsonOf(config));
  const tokenizer = tokenizerSettings(folder);
  const { length } = tokenizer.vocabulary;
  if (length > numbers.vocabulary)
    throw new CotuneError(
      'bad-input',
      `${folder}: the tokenizer has ${length} pieces, the network ${numbers.vocabulary}.`,
      'Give the tokenizer that belongs to it.',
    );
  return { numbers, tokenizer, weights };
}

/**
 * Reads config.json, the weights and the tokenizer of a folder. Errors: `not-found` where a file is missing; `bad-input` where they do
 * not belong together or are of another network.
 */
export function openBert(folder: string): OpenedBert {
  const { numbers, tokenizer: settings, weights: file } = readBertFolder(folder);
  const tokenizer = openTokenizer(settings);
  const source = openWeights(file);
  const { tensors, names, notes } = matchBert(file, source.tensors, numbers);
  const weights = Object.fromEntries(
    tensors.map((tensor) => {
      const original = names.get(tensor.name)!;
      return [tensor.name, toTf(tensor, finite(file, original, source.read(original)))];
    }),
  );
  return { numbers, network: bertNetwork(numbers), tokenizer, weights, notes: [...source.notes, ...notes] };
}

/** Values of a tensor. Errors: `bad-input` where one of them is no number. */
export function finite(file: string, tensor: string, values: Float32Array): Float32Array {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return values;
  throw new CotuneError(
    'bad-input',
    `${file}: tensor "${tensor}" has the value ${values[bad]} at index ${bad}.`,
    'Export the weights again.',
  );
}

export interface MatchedBert {
  /** The backbone's tensors, and those of the pre-trained head and of the pooler where they are there. */
  tensors: TensorDescription[];
  /** The file's own names of them. */
  names: Map<string, string>;
  /** Whether it has the masked language model's head. */
  hasHead: boolean;
  /** What a person should know. */
  notes: string[];
}

/** Which tensors of a file are those of a BERT of such numbers. Errors: `bad-input` where one is missing or of another shape. */
export function matchBert(
  file: string,
  found: ReadonlyMap<string, { shape: readonly number[] }>,
  numbers: Bert,
): MatchedBert {
  const { backbone } = bertNetwork(numbers);
  const names = new Map<string, string>();
  for (const name of found.keys()) {
    const own = bertName(name);
    if (own) names.set(own, name);
  }
  const isThere = (tensors: readonly TensorDescription[]) => tensors.some(({ name }) => names.has(name));
  const head = backbone.headTensors(backbone.head, numbers.vocabulary);
  const pooler = poolerOf(numbers);
  const hasHead = isThere(head);
  const tensors = [...backbone.tensors, ...(hasHead ? head : []), ...(isThere(pooler) ? pooler : [])];
  for (const { name, shape } of tensors) {
    const given = names.has(name) ? found.get(names.get(name)!)!.shape : undefined;
    if (given?.join() !== shape.join())
      throw new CotuneError(
        'bad-input',
        `${file}: the tensor ${name} is ${given ? `[${given}] instead of [${shape}]` : 'missing'}.`,
        'Give the weights that belong to the config.json beside them.',
      );
  }
  const notes = hasHead
    ? []
    : ['There is no masked-language-model head: co-tuning and relationships need one.'];
  const taken = new Set(tensors.map(({ name }) => name));
  const left = [...found.keys()].filter((name) => {
    const own = bertName(name);
    return own ? !taken.has(own) : /^(classifier|qa_outputs)\./.test(name);
  });
  if (left.length > 0) notes.push(`Tensors that are left out: ${left.slice(0, 5).join(', ')}.`);
  return { tensors, names, hasHead, notes };
}

/** Tensors of the pooler, which belongs to a new head of texts, and is pre-trained where a file has it. */
const poolerOf = (numbers: Bert): TensorDescription[] =>
  buildBackbone(bert(numbers, 'text'), 'symmetric')
    .headTensors('classifier', 1)
    .filter(({ name }) => name.startsWith('bert.'));
