import { join } from 'node:path';
import { CotuneError } from '../../src-shared/errors.ts';
import { newestAdapter } from '../backbones/adapters.ts';
import type { Bert } from '../backbones/networks/bert.ts';
import type { Arrays } from '../engine/engine.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { writeWhole } from '../formats/write-whole.ts';
import { type Network, sourceHeadTensors, targetHeadTensors } from '../transfer/network.ts';
import { writtenTensors } from '../transfer/written-tensors.ts';
import { type BertPurpose, configOf } from './bert-config.ts';
import { classifier } from './bert-file.ts';
import { libraryFile, type Tokenizer } from './tokenizer.ts';

/** A network for texts with everything that belongs to it. */
export interface WholeBert {
  numbers: Bert;
  network: Network;
  /** In tf.js layouts. */
  weights: Arrays;
  tokenizer: Tokenizer;
  /** What its head is for. */
  purpose: BertPurpose;
  /** Where it comes from, a sentence. */
  origin: string;
}

const segmentsTable = 'bert.embeddings.token_type_embeddings.weight';

/**
 * Writes a BERT as Hugging Face's transformers keep one: config.json, model.safetensors (the tied scores of a masked language model have
 * no tensor of their own), vocab.txt, tokenizer.json and tokenizer_config.json. A network that tells no segments is written with
 * two that add nothing, as transformers asks for them. Errors: `bad-input` where it has layers that a BERT has not.
 */
export function writeBert(folder: string, whole: WholeBert): void {
  const { numbers, network, weights, purpose, origin } = whole;
  if (newestAdapter(network.backbone))
    throw new CotuneError(
      'bad-input',
      'The network has adapters, which transformers’ BERT has not.',
      'Export it as ONNX.',
    );
  const head = purpose.head === 'masked' ? sourceHeadTensors(network) : targetHeadTensors(network);
  const written = writtenTensors([...network.backbone.tensors, ...head], weights, classifier);
  const { hidden, segments } = numbers;
  if (segments === 0)
    written.push([segmentsTable, { shape: [2, hidden], values: new Float32Array(2 * hidden) }]);
  writeSurroundings(folder, { ...whole, numbers: { ...numbers, segments: segments || 2 } });
  writeSafetensors(join(folder, 'model.safetensors'), written, { format: 'pt', origin });
}

/** What lies beside a network's weights: how it is made, what its classes are, and how texts are cut for it. */
export function writeSurroundings(
  folder: string,
  { numbers, purpose, tokenizer: { settings } }: Pick<WholeBert, 'numbers' | 'purpose' | 'tokenizer'>,
): void {
  makeFolder(folder);
  const text = (name: string, content: string) =>
    writeWhole(join(folder, name), [new TextEncoder().encode(content)]);
  const json = (name: string, value: object) => text(name, `${JSON.stringify(value, null, 2)}\n`);
  json('config.json', configOf(numbers, purpose));
  text('vocab.txt', settings.vocabulary.map((piece) => `${piece}\n`).join(''));
  json('tokenizer.json', libraryFile(settings));
  json('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: settings.lowercase,
    strip_accents: settings.stripAccents,
    tokenize_chinese_chars: settings.splitIdeographs,
    model_max_length: numbers.positions,
  });
}
