/** Folders of Hugging Face's, in the names and with the files that checkpoints are met with. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toTorch } from '../../src-main/backbones/layouts.ts';
import { writeSafetensors } from '../../src-main/formats/safetensors.ts';
import { configOf } from '../../src-main/text/bert-config.ts';
import { bertName } from '../../src-main/text/bert-names.ts';
import { bertNetwork, openBert } from '../../src-main/text/open-bert.ts';
import { untrainedBert } from '../../src-main/text/pretraining.ts';
import { openTokenizer, specialPieces } from '../../src-main/text/tokenizer.ts';
import { writeBert } from '../../src-main/text/write-bert.ts';

const vocabulary = [...specialPieces, 'The', 'cat', '##s', 'é'];
const numbers = {
  ...{ vocabulary: vocabulary.length, hidden: 8, layers: 2, heads: 2, intermediate: 12 },
  ...{ positions: 16, segments: 2, epsilon: 1e-12, dropout: 0.1 },
};
const network = bertNetwork(numbers);
const weights = untrainedBert(network, 1);
const { backbone } = network;
const head = backbone.headTensors(backbone.head, numbers.vocabulary);
const tokenizer = openTokenizer({
  ...{ vocabulary, lowercase: false, stripAccents: false, splitIdeographs: true, longestWord: 100 },
});

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bert-'));
  writeBert(folder, { numbers, network, weights, tokenizer, origin: 'a test', purpose: { head: 'masked' } });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with the same network under other names, those without one left out. */
function renamed(nameOf: (name: string) => string | null, config: object, more: [string, number[]][] = []) {
  const other = mkdtempSync(join(folder, 'other-'));
  const tensors = [...backbone.tensors, ...head].flatMap(
    (tensor): [string, { shape: number[]; values: Float32Array }][] => {
      const name = nameOf(tensor.name);
      const values = toTorch(tensor, weights[tensor.name] as Float32Array);
      return name === null ? [] : [[name, { shape: tensor.shape, values }]];
    },
  );
  for (const [name, shape] of more)
    tensors.push([name, { shape, values: new Float32Array(shape.reduce((a, b) => a * b)) }]);
  writeSafetensors(join(other, 'model.safetensors'), tensors);
  writeFileSync(join(other, 'config.json'), JSON.stringify(config));
  copyFileSync(join(folder, 'vocab.txt'), join(other, 'vocab.txt'));
  return other;
}

describe('a BERT in a folder', () => {
  it('is read as it was written, with its pieces', () => {
    const opened = openBert(folder);
    expect(opened.numbers).toEqual(numbers);
    expect(opened.weights).toEqual(weights);
    expect(opened.notes).toEqual([]);
    expect(opened.tokenizer.settings).toEqual(tokenizer.settings);
    expect(opened.tokenizer.pieces('The cats').map(({ id }) => vocabulary[id])).toEqual([
      'The',
      'cat',
      '##s',
    ]);
  });

  it('may have the names of old checkpoints, and tensors that nothing here needs', () => {
    const old = (name: string) =>
      name
        .replace(/LayerNorm\.weight$/, 'LayerNorm.gamma')
        .replace(/LayerNorm\.bias$/, 'LayerNorm.beta')
        .replace('cls.predictions.bias', 'cls.predictions.decoder.bias');
    const { weights: read, notes } = openBert(
      renamed(old, configOf(numbers, { head: 'masked' }), [
        ['cls.predictions.decoder.weight', [9, 8]],
        ['cls.seq_relationship.weight', [2, 8]],
        ['bert.embeddings.position_ids', [1, 16]],
        ['bert.pooler.dense.weight', [8, 8]],
        ['bert.pooler.dense.bias', [8]],
      ]),
    );
    const { 'bert.pooler.dense.weight': pooler, 'bert.pooler.dense.bias': bias, ...rest } = read;
    expect(rest).toEqual(weights);
    expect([pooler.length, bias.length]).toEqual([64, 8]);
    expect(notes).toEqual([]);
  });

  it('may be the network alone, and says that co-tuning needs more', () => {
    const bare = (name: string) => (name.startsWith('cls.') ? null : name.replace('bert.', ''));
    const { weights: read, notes } = openBert(renamed(bare, configOf(numbers, { head: 'masked' })));
    expect(Object.keys(read)).toEqual(backbone.tensors.map(({ name }) => name));
    expect(notes.join()).toContain('no masked-language-model head');
  });

  it('may be a DistilBERT', () => {
    const parts = {
      'attention.self.query': 'attention.q_lin',
      'attention.self.key': 'attention.k_lin',
      'attention.self.value': 'attention.v_lin',
      'attention.output.dense': 'attention.out_lin',
      'attention.output.LayerNorm': 'sa_layer_norm',
      'intermediate.dense': 'ffn.lin1',
      'output.dense': 'ffn.lin2',
      'output.LayerNorm': 'output_layer_norm',
    };
    const heads = {
      'cls.predictions.transform.dense.': 'vocab_transform.',
      'cls.predictions.transform.LayerNorm.': 'vocab_layer_norm.',
      'cls.predictions.bias': 'vocab_projector.bias',
    };
    const distilled = (name: string) => {
      if (name.includes('token_type')) return null;
      const layer = /^bert\.encoder\.layer\.(\d+)\.(.*)\.(weight|bias)$/.exec(name);
      if (layer)
        return `distilbert.transformer.layer.${layer[1]}.${parts[layer[2] as keyof typeof parts]}.${layer[3]}`;
      for (const [ours, theirs] of Object.entries(heads))
        if (name.startsWith(ours)) return name.replace(ours, theirs);
      return name.replace('bert.', 'distilbert.');
    };
    const opened = openBert(
      renamed(distilled, {
        ...{ model_type: 'distilbert', vocab_size: 9, dim: 8, n_layers: 2, n_heads: 2, hidden_dim: 12 },
        max_position_embeddings: 16,
      }),
    );
    expect(opened.numbers).toEqual({ ...numbers, segments: 0 });
    const { 'bert.embeddings.token_type_embeddings.weight': _, ...rest } = weights;
    expect(opened.weights).toEqual(rest);
    expect(bertName('distilbert.embeddings.LayerNorm.weight')).toBe('bert.embeddings.LayerNorm.weight');
  });

  it('is refused with what does not belong together', () => {
    const same = (name: string) => name;
    expect(() =>
      openBert(renamed(same, { ...configOf(numbers, { head: 'masked' }), hidden_size: 16 })),
    ).toThrow('is [9,8] instead of [9,16]');
    expect(() => openBert(renamed(same, configOf({ ...numbers, layers: 3 }, { head: 'masked' })))).toThrow(
      'missing',
    );
    expect(() =>
      openBert(renamed(same, configOf({ ...numbers, vocabulary: 7 }, { head: 'masked' }))),
    ).toThrow('9 pieces');
    expect(() => openBert(renamed(same, { model_type: 'roberta' }))).toThrow('no BERT');
    expect(() => openBert(join(folder, 'nowhere'))).toThrow('lacks config.json');
    const other = renamed(same, configOf(numbers, { head: 'masked' }));
    const json = JSON.parse(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
    writeFileSync(
      join(other, 'tokenizer.json'),
      JSON.stringify({ ...json, model: { type: 'BPE', vocab: {} } }),
    );
    expect(() => openBert(other)).toThrow('no WordPiece tokenizer');
  });
});
