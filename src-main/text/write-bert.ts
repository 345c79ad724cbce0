import { join } from 'node:path';
import { toTorch } from '../backbones/layouts.ts';
import type { Bert } from '../backbones/networks/bert.ts';
import type { Arrays } from '../engine/engine.ts';
import { makeFolder } from '../formats/make-folder.ts';
import { writeSafetensors } from '../formats/safetensors.ts';
import { writeWhole } from '../formats/write-whole.ts';
import type { Network } from '../transfer/network.ts';
import { configOf } from './bert-config.ts';
import { libraryFile, type Tokenizer } from './tokenizer.ts';

/**
 * Writes a masked language model as Hugging Face's transformers keep one: config.json, model.safetensors (the tied scores have no
 * tensor of their own), vocab.txt, tokenizer.json and tokenizer_config.json. `weights` are in tf.js layouts.
 */
export function writeBert(
  folder: string,
  numbers: Bert,
  { backbone, sourceClasses }: Network,
  weights: Arrays,
  { settings }: Tokenizer,
  origin: string,
): void {
  makeFolder(folder);
  const tensors = [...backbone.tensors, ...backbone.headTensors(backbone.head, sourceClasses)];
  const written = tensors.map(
    (tensor) =>
      [
        tensor.name,
        { shape: tensor.shape, values: toTorch(tensor, weights[tensor.name] as Float32Array) },
      ] as [string, { shape: number[]; values: Float32Array }],
  );
  const text = (name: string, content: string) =>
    writeWhole(join(folder, name), [new TextEncoder().encode(content)]);
  const json = (name: string, value: object) => text(name, `${JSON.stringify(value, null, 2)}\n`);
  json('config.json', configOf(numbers));
  text('vocab.txt', settings.vocabulary.map((piece) => `${piece}\n`).join(''));
  json('tokenizer.json', libraryFile(settings));
  json('tokenizer_config.json', {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: settings.lowercase,
    strip_accents: settings.stripAccents,
    tokenize_chinese_chars: settings.splitIdeographs,
    model_max_length: numbers.positions,
  });
  writeSafetensors(join(folder, 'model.safetensors'), written, { format: 'pt', origin });
}
