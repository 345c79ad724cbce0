/** What methods make of a BERT's description: which tensors they add, replace, train and hold still. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { bert, type TextHead } from '../../src-main/backbones/networks/bert.ts';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import type { Arrays, Engine, Program } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { textSpecs } from '../../src-main/text/training-step.ts';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { initialState } from '../../src-main/transfer/initial-state.ts';
import { probedHead } from '../../src-main/transfer/linear-probe.ts';
import {
  evaluationScope,
  type Network,
  specsOf,
  targetHeadTensors,
} from '../../src-main/transfer/network.ts';
import { ownTensors, replaced, withoutOwnTensors } from '../../src-main/transfer/own-tensors.ts';
import type { ChosenTerm, Preparation } from '../../src-main/transfer/term.ts';
import { untrainedWeights } from '../../src-main/transfer/untrained-weights.ts';
import type { Part } from '../../src-shared/domain.ts';
import { agrees } from './terms.ts';

const numbers = {
  ...{ vocabulary: 11, hidden: 6, layers: 4, heads: 2, intermediate: 10 },
  ...{ positions: 9, segments: 2, epsilon: 1e-12, dropout: 0.1 },
};

function networkWith(terms: readonly ChosenTerm[], head: TextHead = 'pieces'): Network {
  const described = terms.reduce(
    (before, { term, options }) => term.describe?.(before, options) ?? before,
    bert(numbers, head),
  );
  return {
    backbone: buildBackbone(described, 'symmetric'),
    batchNormEpsilon: 1e-5,
    sourceClasses: numbers.vocabulary,
    targetClasses: 3,
  };
}

const chosen = (method: Part[], extras: Part[] = []) => {
  const terms = termsOf(method, extras);
  return { terms, network: networkWith(terms) };
};

/** Weights of the network as it is pre-trained. */
const weights: Arrays = untrainedWeights(networkWith([]).backbone.tensors, (name) => {
  const random = randomOf(1, name);
  return () => normalOf(random);
});

const shape = { batch: 2, length: 5 };
const fed = {
  pieces: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 0),
  present: Float32Array.of(1, 1, 1, 1, 1, 1, 1, 1, 1, 0),
};

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine('cpu');
});
afterAll(() => engine.dispose());

/** Features of two texts, what terms put in place of tensors being in place. */
async function featuresOf(network: Network, terms: readonly ChosenTerm[], held: Arrays) {
  const state = specsOf([...network.backbone.tensors, ...ownTensors(network, terms)]);
  const program: Program = {
    state,
    batch: textSpecs(shape, false),
    step(tensors, { pieces, present }) {
      const all = { ...tensors, ...Object.fromEntries(replaced(network, terms, tensors)) };
      const scope = { ...evaluationScope(network, all), present };
      return { state: {}, outputs: { features: network.backbone.forward(pieces, scope) } };
    },
  };
  const constants = Object.fromEntries(Object.keys(state).map((name) => [name, held[name]]));
  const executable = await engine.compile(program, { constants });
  const { features } = await executable.run(fed);
  await executable.dispose();
  return features as Float32Array;
}

async function begun(terms: readonly ChosenTerm[], network: Network): Promise<Arrays> {
  const prepared: Arrays = {};
  for (const { term, options } of terms)
    Object.assign(prepared, (await term.prepare?.({ network, seed: 0 } as Preparation, options))?.network);
  const { state } = {
    state: specsOf([
      ...network.backbone.tensors,
      ...targetHeadTensors(network),
      ...ownTensors(network, terms),
    ]),
  };
  return initialState(
    { state, batch: {}, step: () => ({ state: {}, outputs: {} }) },
    network,
    weights,
    0,
    prepared,
  );
}

const trainedBy = ({ terms, network }: { terms: readonly ChosenTerm[]; network: Network }) =>
  [...network.backbone.tensors, ...targetHeadTensors(network), ...ownTensors(network, terms)]
    .filter((tensor) => terms.every(({ term, options }) => term.trains?.(tensor, network, options) ?? true))
    .map(({ name }) => name);

test('LoRA changes query and value where they are kept apart, begins as the pre-trained network and is merged into it', async () => {
  const { terms, network } = chosen([{ name: 'lora', rank: 2, alpha: 6 }]);
  const plain = await featuresOf(networkWith([]), [], weights);
  const start = await begun(terms, network);
  expect(await featuresOf(network, terms, start)).toEqual(plain);

  const front = 'bert.encoder.layer.2.attention.self';
  const [a, b] = ['a', 'b'].map((factor) => `${front}.value.weight.value.${factor}`);
  const moved: Arrays = { ...start, [b]: start[b].map((_, at) => ((at % 5) - 2) / 3) };
  const merged = await withoutOwnTensors(engine, network, terms, moved);
  agrees(await featuresOf(networkWith([]), [], merged), [...(await featuresOf(network, terms, moved))]);
  // W + 3 Aᵀ Bᵀ; all that has no change of its own stays to the bit.
  const value = `${front}.value.weight`;
  agrees(
    merged[value],
    Array.from(weights[value], (before, at) => {
      const [row, column] = [Math.floor(at / 6), at % 6];
      return (
        before + 3 * [0, 1].reduce((sum, k) => sum + moved[a][row * 2 + k] * moved[b][k * 6 + column], 0)
      );
    }),
  );
  for (const { name } of networkWith([]).backbone.tensors)
    if (name !== value) expect([name, merged[name]]).toEqual([name, start[name]]);
  expect(trainedBy({ terms, network })).toEqual([
    'target.weight',
    'target.bias',
    ...[0, 1, 2, 3].flatMap((layer) =>
      ['query', 'value'].flatMap((projection) =>
        ['a', 'b'].map(
          (factor) =>
            `bert.encoder.layer.${layer}.attention.self.${projection}.weight.${projection}.${factor}`,
        ),
      ),
    ),
  ]);
});

test('adapters stand at the end of every encoder layer, begin as the pre-trained network and learn with norms and head', async () => {
  const { terms, network } = chosen([{ name: 'adapter', reduction: 2 }]);
  const start = await begun(terms, network);
  expect(await featuresOf(network, terms, start)).toEqual(await featuresOf(networkWith([]), [], weights));
  const up = 'bert.encoder.layer.3.adapter1.up.weight';
  expect(start[up]).toHaveLength(3 * 6);
  const moved = { ...start, [up]: start[up].map(() => 0.5) };
  expect(await featuresOf(network, terms, moved)).not.toEqual(await featuresOf(network, terms, start));
  const others = trainedBy({ terms, network }).filter(
    (name) => !/adapter1|LayerNorm\.(weight|bias)$|^target\./.test(name),
  );
  expect(others).toEqual([]);
});

test('BitFit trains biases and norms; the pooler in front of a text’s scores is the head’s and is trained with it', () => {
  const { terms, network } = chosen([{ name: 'bitfit' }]);
  const pieces = trainedBy({ terms, network });
  expect(pieces.filter((name) => !/bias$|LayerNorm\.weight$/.test(name))).toEqual(['target.weight']);
  expect(pieces).toContain('bert.encoder.layer.0.attention.self.query.bias');
  const text = { terms, network: networkWith(terms, 'text') };
  expect(trainedBy(text).filter((name) => !pieces.includes(name))).toEqual([
    'bert.pooler.dense.weight',
    'bert.pooler.dense.bias',
  ]);
});

test('rates fall from layer to layer down to the embeddings; frozen blocks begin with these', () => {
  const { terms, network } = chosen(
    [{ name: 'finetune' }],
    [
      { name: 'layer-decay', decay: 0.5 },
      { name: 'frozen-blocks', blocks: 2 },
    ],
  );
  const [, decay, frozen] = terms;
  const rates = [
    'bert.embeddings.word_embeddings.weight',
    'bert.embeddings.LayerNorm.bias',
    'bert.encoder.layer.0.attention.self.query.weight',
    'bert.encoder.layer.3.output.LayerNorm.weight',
    'target.weight',
  ].map((name) => decay.term.rate!(name, network, decay.options));
  expect(rates).toEqual([0.5 ** 5, 0.5 ** 5, 0.5 ** 4, 0.5, 1]);
  const still = network.backbone.tensors.filter(({ name }) =>
    frozen.term.freezes!(name, network, frozen.options),
  );
  expect([...new Set(still.map(({ name }) => name.split('.').slice(0, 4).join('.')))]).toEqual([
    'bert.embeddings.word_embeddings.weight',
    'bert.embeddings.position_embeddings.weight',
    'bert.embeddings.token_type_embeddings.weight',
    'bert.embeddings.LayerNorm.weight',
    'bert.embeddings.LayerNorm.bias',
    'bert.encoder.layer.0',
    'bert.encoder.layer.1',
  ]);
});

test('dropout is fed a mask for every piece’s features and every weight of attention', () => {
  const { terms, network } = chosen([{ name: 'finetune' }], [{ name: 'dropout' }]);
  const { term, options } = terms[1];
  const specs = term.feeds!.specs({ batch: 2, size: 5 }, network, options);
  expect(Object.keys(specs)).toHaveLength(1 + 4 * 3);
  expect(specs['bert.embeddings.dropout'].shape).toEqual([2, 5, 6]);
  expect(specs['bert.encoder.layer.3.attention.dropout'].shape).toEqual([2, 2, 5, 5]);
});

test('a linear probe is the layer of scores alone, and a pooler that is pre-trained is kept', async () => {
  const network = networkWith([], 'text');
  const features = (rows: number) => ({
    features: {
      data: Float64Array.from({ length: 6 * rows }, (_, at) => Math.sin(at * at)),
      rows,
      columns: 6,
    },
    labels: Int32Array.from({ length: rows }, (_, at) => at % 3),
  });
  const head = await probedHead({
    network,
    features: async () => ({ train: features(12), val: features(6) }),
    note() {},
  } as unknown as Preparation);
  expect(Object.entries(head).map(([name, values]) => [name, values.length])).toEqual([
    ['target.weight', 18],
    ['target.bias', 3],
  ]);
  const pooler = { 'bert.pooler.dense.weight': new Float32Array(36).fill(0.25) };
  const state = specsOf(targetHeadTensors(network));
  const begin = (known: Arrays) =>
    initialState({ state, batch: {}, step: () => ({ state: {}, outputs: {} }) }, network, known, 0, head);
  expect(begin(pooler)['bert.pooler.dense.weight']).toEqual(pooler['bert.pooler.dense.weight']);
  expect(begin(pooler)['target.weight']).toEqual(head['target.weight']);
  expect(new Set(begin({})['bert.pooler.dense.weight']).size).toBe(36);
});
