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
import { openTokenizer, type Tokenizer } from './tokenizer.ts';
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

/**
 * Reads config.json, the weights and the tokenizer of a folder. Errors: `not-found` where a file is missing; `bad-input` where they do
 * not belong together or are of another network.
 */
export function openBert(folder: string): OpenedBert {
  const config = join(folder, 'config.json');
  const file = weightFiles.map((name) => join(folder, name)).find(existsSync);
  if (!existsSync(config) || !file)
    throw new CotuneError(
      'not-found',
      `${folder} lacks ${existsSync(config) ? weightFiles.join(' or ') : 'config.json'}.`,
      'Give a folder as Hugging Face’s transformers writes it.',
    );
  const numbers = bertOf(config, jsonOf(config));
  const tokenizer = openTokenizer(tokenizerSettings(folder));
  const { length } = tokenizer.settings.vocabulary;
  if (length > numbers.vocabulary)
    throw new CotuneError(
      'bad-input',
      `${folder}: the tokenizer has ${length} pieces, the network ${numbers.vocabulary}.`,
      'Give the tokenizer that belongs to it.',
    );
  return { numbers, network: bertNetwork(numbers), tokenizer, ...weightsIn(file, numbers) };
}

function weightsIn(file: string, numbers: Bert): Pick<OpenedBert, 'weights' | 'notes'> {
  const source = openWeights(file);
  const { backbone } = bertNetwork(numbers);
  const originals = new Map<string, string>();
  for (const name of source.tensors.keys()) {
    const own = bertName(name);
    if (own) originals.set(own, name);
  }
  const weights: Arrays = {};
  const read = (tensors: readonly TensorDescription[]) => {
    for (const tensor of tensors) {
      const original = originals.get(tensor.name);
      const shape = original && source.tensors.get(original)!.shape;
      if (!shape || shape.join() !== tensor.shape.join())
        throw new CotuneError(
          'bad-input',
          `${file}: the tensor ${tensor.name} is ${shape ? `[${shape}] instead of [${tensor.shape}]` : 'missing'}.`,
          'Give the weights that belong to the config.json beside them.',
        );
      const values = source.read(original!);
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0)
        throw new CotuneError(
          'bad-input',
          `${file}: tensor "${original}" has the value ${values[bad]} at index ${bad}.`,
          'Export the weights again.',
        );
      weights[tensor.name] = toTf(tensor, values);
    }
  };
  read(backbone.tensors);
  const head = backbone.headTensors(backbone.head, numbers.vocabulary);
  const pooler = buildBackbone(bert(numbers, 'text'), 'symmetric')
    .headTensors('classifier', 1)
    .filter(({ name }) => name.startsWith('bert.'));
  const notes = [...source.notes];
  const isThere = (tensors: readonly TensorDescription[]) => tensors.some(({ name }) => originals.has(name));
  if (isThere(head)) read(head);
  else notes.push('There is no masked-language-model head: co-tuning and relationships need one.');
  if (isThere(pooler)) read(pooler);
  const left = [...source.tensors.keys()].filter((name) => {
    const own = bertName(name);
    return own ? !(own in weights) : /^(classifier|qa_outputs)\./.test(name);
  });
  if (left.length > 0) notes.push(`Tensors that are left out: ${left.slice(0, 5).join(', ')}.`);
  return { weights, notes };
}
