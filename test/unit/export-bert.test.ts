/** A trained BERT outside: what transformers keeps, and what ONNX Runtime runs, give the probabilities of this engine. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withAdapter } from '../../src-main/backbones/adapters.ts';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { toTf } from '../../src-main/backbones/layouts.ts';
import { bert, type TextHead } from '../../src-main/backbones/networks/bert.ts';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Program } from '../../src-main/engine/engine.ts';
import { openFileModel } from '../../src-main/engine/run/run-model.ts';
import { readSafetensorsHeader, readTensors } from '../../src-main/formats/safetensors.ts';
import { exportBertToOnnx } from '../../src-main/text/export-onnx.ts';
import { openBert } from '../../src-main/text/open-bert.ts';
import { openTokenizer, specialPieces } from '../../src-main/text/tokenizer.ts';
import { type WholeBert, writeBert } from '../../src-main/text/write-bert.ts';
import { classify, evaluationScope, evaluationTensors, specsOf } from '../../src-main/transfer/network.ts';
import { untrainedWeights } from '../../src-main/transfer/untrained-weights.ts';

const vocabulary = [...specialPieces, 'The', 'cat', '##s', 'é', '.'];
const tokenizer = openTokenizer({
  ...{ vocabulary, lowercase: false, stripAccents: false, splitIdeographs: true, longestWord: 100 },
});
const classes = ['O', 'B-PER', 'I-PER'];

function trained(head: TextHead, segments = 2, adapted = false): WholeBert {
  const numbers = {
    ...{ vocabulary: vocabulary.length, hidden: 8, layers: 2, heads: 2, intermediate: 12 },
    ...{ positions: 20, segments, epsilon: 1e-12, dropout: 0.1 },
  };
  const plain = bert(numbers, head);
  const network = {
    backbone: buildBackbone(adapted ? withAdapter(plain, { reduction: 2 }) : plain, 'symmetric'),
    ...{ batchNormEpsilon: 1e-5, sourceClasses: vocabulary.length, targetClasses: classes.length },
  };
  const weights = untrainedWeights(evaluationTensors(network, 'target'), (name) => {
    const random = randomOf(1, name);
    return () => normalOf(random);
  });
  return { numbers, network, weights, tokenizer, purpose: { head, classes }, origin: 'A test' };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'export-bert-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two texts of which the second is padded, as 64-bit numbers for the file and as the program's batch. */
function batchOf(length: number) {
  const rows = [tokenizer.pieces('The cats .'), tokenizer.pieces('é .')].map((text) =>
    tokenizer.encode([text], length),
  );
  const all = (of: 'pieces' | 'present' | 'segments') => rows.flatMap((row) => [...row[of]]);
  const fed = { input_ids: all('pieces'), attention_mask: all('present'), token_type_ids: all('segments') };
  const shape = [2, length];
  return {
    fed: Object.fromEntries(
      Object.entries(fed).map(([name, values]) => [
        name,
        { values: BigInt64Array.from(values.map(BigInt)), shape },
      ]),
    ),
    batch: {
      pieces: Int32Array.from(fed.input_ids),
      present: Float32Array.from(fed.attention_mask),
      segments: Int32Array.from(fed.token_type_ids),
    },
  };
}

/** The eager engine's probabilities. */
async function expected({ network, weights }: WholeBert, batch: Arrays, length: number) {
  const program: Program = {
    state: specsOf(evaluationTensors(network, 'target')),
    batch: {
      pieces: { shape: [2, length], dtype: 'int32' },
      present: { shape: [2, length], dtype: 'float32' },
      segments: { shape: [2, length], dtype: 'int32' },
    },
    step(state, { pieces, present, segments }) {
      const scope = { ...evaluationScope(network, state), present, segments };
      const logits = classify(network, network.backbone.forward(pieces, scope), state, 'target');
      return { state: {}, outputs: { probabilities: tf.softmax(logits as tf.Tensor) } };
    },
  };
  const executable = await (await openReferenceEngine()).compile(program, { constants: weights });
  const { probabilities } = await executable.run(batch);
  await executable.dispose();
  return probabilities;
}

describe.each<TextHead>(['pieces', 'text'])('a BERT trained for classes of %s', (head) => {
  it('gives its probabilities in ONNX Runtime, however many texts there are and however long', async () => {
    const whole = trained(head);
    const to = join(folder, `onnx-${head}`);
    await exportBertToOnnx(to, whole);
    const model = await openFileModel(join(to, 'model.onnx'));
    expect(model.inputs).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
    for (const length of [6, 20]) {
      const { fed, batch } = batchOf(length);
      const theirs = await model.run(fed, 'probabilities:out');
      const own = await expected(whole, batch, length);
      expect(theirs).toHaveLength(own.length);
      // Float32 through two layers, summed in another order.
      for (const [at, value] of own.entries()) expect(Math.abs(theirs[at] - value)).toBeLessThan(1e-5);
    }
    await model.close();
    expect(readFileSync(join(to, 'README.md'), 'utf8')).toContain('Classes: 0 O, 1 B-PER, 2 I-PER.');
    expect(JSON.parse(readFileSync(join(to, 'tokenizer.json'), 'utf8')).model.type).toBe('WordPiece');
  });

  it('lies in Hugging Face’s layout with the names that transformers has, tensor for tensor', () => {
    const whole = trained(head);
    const to = join(folder, `transformers-${head}`);
    writeBert(to, whole);
    const config = JSON.parse(readFileSync(join(to, 'config.json'), 'utf8'));
    expect(config).toMatchObject({
      architectures: [head === 'text' ? 'BertForSequenceClassification' : 'BertForTokenClassification'],
      id2label: { 0: 'O', 1: 'B-PER', 2: 'I-PER' },
      label2id: { O: 0, 'B-PER': 1, 'I-PER': 2 },
    });
    const header = readSafetensorsHeader(join(to, 'model.safetensors'));
    const names = [...header.tensors.keys()];
    expect(names.filter((name) => !name.startsWith('bert.e'))).toEqual([
      ...(head === 'text' ? ['bert.pooler.dense.weight', 'bert.pooler.dense.bias'] : []),
      'classifier.weight',
      'classifier.bias',
    ]);
    const { weights, tokenizer: read, notes } = openBert(to);
    for (const { name } of whole.network.backbone.tensors) expect(weights[name]).toEqual(whole.weights[name]);
    expect(read.settings).toEqual(tokenizer.settings);
    expect(notes.join()).toContain('no masked-language-model head');
    const [classifier] = evaluationTensors(whole.network, 'target').filter(
      ({ name }) => name === 'target.weight',
    );
    const values = readTensors(header, ['classifier.weight']).get('classifier.weight')!;
    expect(toTf(classifier, values)).toEqual(whole.weights['target.weight']);
  });
});

it('a network that tells no segments is written with two that add nothing', () => {
  const whole = trained('pieces', 0);
  const to = join(folder, 'distilled');
  writeBert(to, whole);
  const { numbers, weights } = openBert(to);
  expect(numbers.segments).toBe(2);
  expect(weights['bert.embeddings.token_type_embeddings.weight']).toEqual(new Float32Array(16));
});

it('a network with adapters has no place in transformers’ layout, and one in ONNX', async () => {
  const whole = trained('pieces', 2, true);
  expect(() => writeBert(join(folder, 'adapted'), whole)).toThrow('has adapters');
  await exportBertToOnnx(join(folder, 'adapted-onnx'), whole);
});
