/**
 * BERT against numbers that were recorded from PyTorch in float64 (test/fixtures/bert): weights are filled by a formula of their
 * names. Tolerances are about ten times what float32 in PyTorch itself deviates.
 */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorDescription } from '../../src-main/backbones/backbone.ts';
import { buildBackbone } from '../../src-main/backbones/build.ts';
import { tfShape, toTf, toTorch } from '../../src-main/backbones/layouts.ts';
import { bert, type TextHead } from '../../src-main/backbones/networks/bert.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Arrays, Compiled, Engine, Program } from '../../src-main/engine/engine.ts';
import { openEngine } from '../../src-main/engine/open.ts';
import { softmaxRows } from '../../src-main/engine/softmax-rows.ts';
import { maskedPieces } from '../../src-main/text/objective.ts';
import { textSpecs, textTrainingStep } from '../../src-main/text/training-step.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { classMeans } from '../../src-main/transfer/direct.ts';
import {
  classify,
  evaluationScope,
  type Network,
  sourceHeadTensors,
  specsOf,
  targetHeadTensors,
} from '../../src-main/transfer/network.ts';
import { slotName } from '../../src-main/transfer/optimizer.ts';
import { placesValues } from '../../src-main/transfer/places.ts';
import { classifiedTexts, type StepInput, taggedTexts } from '../../src-main/transfer/step-input.ts';
import { trainingProgram } from '../../src-main/transfer/training-program.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../fixtures/bert/${name}`, import.meta.url), 'utf8'));
const expected = fixture('expected.json');
const names: { name: string; shape: number[]; models: string[] }[] = fixture('names.json');

const { config } = expected;
const [batch, length] = [3, 12];
const networkOf = (head: TextHead, targetClasses: number): Network => ({
  backbone: buildBackbone(
    bert(
      {
        vocabulary: config.vocab_size,
        hidden: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        intermediate: config.intermediate_size,
        positions: config.max_position_embeddings,
        segments: config.type_vocab_size,
        epsilon: config.layer_norm_eps,
        dropout: 0.1,
      },
      head,
    ),
    'symmetric',
  ),
  batchNormEpsilon: 1e-5,
  sourceClasses: config.vocab_size,
  targetClasses,
});

/** What a tensor of ours is called there. */
const theirs = (name: string): string => name.replace(/^target\./, 'classifier.');

/** The fixture's formula, in PyTorch's order. */
function filled({ name, shape, kind }: TensorDescription): Float32Array {
  const own = theirs(name);
  const sum = [...own].reduce((total, letter, at) => total + letter.charCodeAt(0) * (at + 1), 3);
  const sine = (i: number) => {
    const r = i % 8191;
    return Math.sin(0.5 + 1.7 * i + (sum % 1000) + 0.9 * ((r * r) % 8191));
  };
  const matrix = (own === 'classifier.weight' ? 1 : 1.4) * Math.sqrt(2 / shape[1]);
  const scale = { linear: matrix, embedding: 0.5 }[kind as string] ?? 0.1;
  const middle = own.endsWith('LayerNorm.weight') ? 1 : 0;
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => middle + scale * sine(i));
}

const weightsOf = (tensors: TensorDescription[]): Arrays =>
  Object.fromEntries(tensors.map((tensor) => [tensor.name, toTf(tensor, filled(tensor))]));

const { batch: given } = expected;
const ints = (rows: number[][]) => Int32Array.from(rows.flat());
const texts = (ids: number[][]): Arrays => ({
  pieces: ints(ids),
  present: Float32Array.from(given.attention_mask.flat()),
  segments: ints(given.token_type_ids),
});

/** Where a batch has labels, and which. */
const labelled = (rows: number[][], wanted: (label: number) => boolean) => {
  const flat = rows.flat();
  const places = flat.flatMap((label, at) => (wanted(label) ? [at] : []));
  return { places, labels: places.map((at) => flat[at]) };
};
const typeOf = (tag: number) => Math.floor((tag - 1) / 2);
/** Pieces of entities that a batch has room for. */
const room = 12;
const tagged = (rows: number[][]): Arrays => {
  const flat = rows.flat();
  const tags = labelled(rows, (tag) => tag >= 0);
  const entities = labelled(rows, (tag) => tag > 0);
  return {
    labels: Int32Array.from(flat, (tag) => Math.max(0, tag)),
    counts: Float32Array.from(flat, (tag) => (tag < 0 ? 0 : flat.length / tags.places.length)),
    ...placesValues('entity', room, entities.places, entities.labels.map(typeOf)),
  };
};
const relationship = Float32Array.from(expected.relationship.flat());

const worst = (got: ArrayLike<number>, want: readonly number[]) =>
  want.reduce((most, value, at) => Math.max(most, Math.abs(got[at] - value)), 0);
const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

interface Case {
  network: Network;
  /** Tensors that are trained. */
  tensors: TensorDescription[];
  program(): Program;
  fed: Arrays;
  /** What is held besides. */
  state?: Arrays;
}

const optimizer = optimizerOf({ name: 'adamw', weightDecay: expected.adamw.weight_decay });

/** A task's step as runs have it, of texts with two segments. */
function taskStep(network: Network, input: StepInput, tradeOff?: number): Pick<Case, 'tensors' | 'program'> {
  const { backbone } = network;
  const segmented: StepInput = {
    ...input,
    specs(shape, of, sourced) {
      const specs = { ...input.specs(shape, of, sourced), ...textSpecs({ batch, length }, true) };
      for (const [name, { shape: given, dtype }] of Object.entries(specs))
        if (name.startsWith('entity_')) specs[name] = { shape: [room, ...given.slice(1)], dtype };
      return specs;
    },
    scope: ({ present, segments }) => ({ present, segments }),
  };
  const terms = termsOf([tradeOff === undefined ? { name: 'finetune' } : { name: 'cotuning', tradeOff }]);
  const options = { batch, size: length, terms, optimizer, headLearningRateMultiplier: 1, input: segmented };
  return {
    tensors: [
      ...backbone.tensors,
      ...targetHeadTensors(network),
      ...(tradeOff === undefined ? [] : sourceHeadTensors(network)),
    ],
    program: () => trainingProgram(network, options),
  };
}

const masked = labelled(given.mlm_labels, (label) => label >= 0);
const [ofPieces, ofText] = [{ ...networkOf('pieces', 7), categories: 3 }, networkOf('text', 5)];
const cases: Record<string, Case> = {
  masked_lm: {
    network: ofPieces,
    tensors: [...ofPieces.backbone.tensors, ...sourceHeadTensors(ofPieces)],
    program: () =>
      textTrainingStep(ofPieces, { batch, length, segmented: true, objective: maskedPieces(6), optimizer }),
    fed: { ...texts(given.mlm_input_ids), ...placesValues('masked', 6, masked.places, masked.labels) },
  },
  token_classification: {
    network: ofPieces,
    ...taskStep(ofPieces, taggedTexts),
    fed: { ...texts(given.input_ids), ...tagged(given.tags) },
  },
  sequence_classification: {
    network: ofText,
    ...taskStep(ofText, classifiedTexts),
    fed: { ...texts(given.input_ids), labels: Int32Array.from(given.sequence_labels) },
  },
  cotuning_tokens: {
    network: ofPieces,
    ...taskStep(ofPieces, taggedTexts, expected.trade_off),
    fed: { ...texts(given.input_ids), ...tagged(given.tags) },
    state: { 'cotuning/relationship': relationship },
  },
};

/** The step of a case, compiled once for each engine. */
const opened = new Map<string, Promise<Compiled>>();

/** Steps of a case with factors on the learning rate, and the state after each. */
async function steps(engine: Engine, one: Case, factors: readonly number[]) {
  const { tensors, fed, state: held = {} } = one;
  const { lr } = expected.adamw;
  const program = one.program();
  const key = `${engine.info.name} ${Object.keys(program.batch)}`;
  opened.set(key, opened.get(key) ?? engine.compile(program));
  const executable = await opened.get(key)!;
  const zeros = Object.entries(program.state).map(
    ([name, { shape }]) => [name, new Float32Array(shape.reduce((a, b) => a * b))] as const,
  );
  await executable.load({
    ...Object.fromEntries(zeros),
    ...weightsOf(tensors),
    ...Object.fromEntries(Object.entries(held).map(([name, values]) => [name, values.slice()])),
  });
  const wanted = Object.fromEntries(Object.keys(program.batch).map((name) => [name, fed[name]]));
  const done: { outputs: Arrays; state: Arrays }[] = [];
  for (const [index, factor] of factors.entries()) {
    const rate = { learning_rate: Float32Array.of(lr * factor), step: Float32Array.of(index + 1) };
    const outputs = await executable.run({ ...wanted, ...rate });
    done.push({ outputs, state: await executable.read() });
  }
  return { tensors, done };
}

/** With a rate of zero, the mean of gradients after a first step is (1 − β₁) of the gradient. */
async function gradientsOf(engine: Engine, one: Case) {
  const { tensors, done } = await steps(engine, one, [0]);
  const [{ outputs, state }] = done;
  const gradients = tensors.map((tensor) => {
    const mean = toTorch(tensor, state[slotName('mean', tensor.name)] as Float32Array);
    return [theirs(tensor.name), mean.map((value) => value / 0.1)] as const;
  });
  return { outputs, gradients: new Map(gradients) };
}

const engines: Record<string, () => Promise<Engine>> = {
  'op by op': openReferenceEngine,
  compiled: () => openEngine('cpu'),
};

describe.each(Object.keys(engines))('BERT %s', (name) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await engines[name]();
  });
  afterAll(async () => {
    for (const executable of opened.values()) await (await executable).dispose();
    opened.clear();
    await engine.dispose();
  });

  it('gives the features, pooled features and piece scores of PyTorch', async () => {
    const network = networkOf('text', config.hidden_size);
    const { backbone } = network;
    const heads = [...backbone.headTensors(backbone.head, config.vocab_size)];
    const pooler = backbone.headTensors('classifier', 5).filter(({ name }) => name.includes('pooler'));
    const weights = [...backbone.tensors, ...heads, ...pooler];
    const executable = await engine.compile({
      state: specsOf(weights),
      batch: textSpecs({ batch, length }, true),
      step(state, { pieces, ...scope }) {
        const features = backbone.forward(pieces, { ...evaluationScope(network, state), ...scope });
        // With the identity behind it the classifier hands on what the pooler makes.
        const identity = { 'classifier.weight': tf.eye(32), 'classifier.bias': tf.zeros([32]) };
        return {
          state: {},
          outputs: {
            features,
            pooled: classify(network, features, { ...state, ...identity }, 'classifier'),
            scores: classify(network, features, state, backbone.head),
          },
        };
      },
    });
    await executable.load(weightsOf(weights));
    const { features, pooled, scores } = await executable.run(texts(given.input_ids));
    await executable.dispose();
    const most = (values: number[]) => Math.max(...values.map(Math.abs));
    for (const [got, want] of [
      [features, expected.sequence_output.flat(2)],
      [pooled, expected.pooled_output.flat()],
      [scores, expected.mlm_logits.flat(2)],
    ])
      expect(worst(got, want) / most(want)).toBeLessThan(1e-5);

    // The direct relationship: mean probabilities of the pieces at entities of each type.
    const entities = labelled(given.tags, (tag) => tag > 0);
    for (const [temperature, want] of Object.entries(expected.direct_relationship.temperature)) {
      const rows = entities.places.flatMap((at) => [...scores.subarray(at * 211, (at + 1) * 211)]);
      const logits = { data: Float32Array.from(rows), rows: entities.places.length, columns: 211 };
      const probabilities = await softmaxRows(logits, 1 / Number(temperature));
      const means = classMeans([{ probabilities, labels: entities.labels.map(typeOf) }], 3);
      for (const [type, row] of (want as number[][]).entries())
        expect(worst(means[type]!, row)).toBeLessThan(1e-6);
    }
  });

  it.each(Object.keys(cases))('has the loss and gradients of PyTorch: %s', async (key) => {
    const want = expected[key];
    const { outputs, gradients } = await gradientsOf(engine, cases[key]);
    expect(Math.abs(outputs.loss[0] - want.loss)).toBeLessThan(1e-5);
    if (key === 'cotuning_tokens') {
      expect(Math.abs(outputs.target_loss[0] - want.cross_entropy)).toBeLessThan(1e-5);
      expect(Math.abs(outputs.source_loss[0] - want.soft_cross_entropy)).toBeLessThan(1e-5);
    }
    expect([...gradients.keys()].sort()).toEqual(Object.keys(want.grads).sort());
    for (const [tensor, { zero_grad, l2, first6, sum, l1, max_abs }] of Object.entries<Record<string, never>>(
      want.grads,
    )) {
      const gradient = gradients.get(tensor)!;
      if (zero_grad) {
        expect(norm(gradient), tensor).toBeLessThan(1e-6 * want.global_grad_l2);
        continue;
      }
      expect(Math.abs(norm(gradient) / l2 - 1), tensor).toBeLessThan(1e-4);
      expect(worst(gradient, first6) / max_abs, tensor).toBeLessThan(1e-4);
      const total = gradient.reduce((a, b) => a + b, 0);
      expect(Math.abs(total - sum) / l1, tensor).toBeLessThan(1e-4);
    }
  });

  it('learns nothing about pieces of the vocabulary from a batch without entities', async () => {
    const { tags, loss, soft_cross_entropy: source } = expected.cotuning_tokens.without_entities;
    const one = cases.cotuning_tokens;
    const { outputs, gradients } = await gradientsOf(engine, {
      ...one,
      fed: { ...one.fed, ...tagged(tags) },
    });
    expect(Math.abs(outputs.loss[0] - loss)).toBeLessThan(1e-5);
    expect(Math.abs(outputs.source_loss[0])).toBe(source);
    for (const [tensor, gradient] of gradients)
      if (tensor.startsWith('cls.')) expect(norm(gradient), tensor).toBe(0);
  });

  it.each(
    ['token_classification', 'sequence_classification'].flatMap((key) =>
      ['adamw_ramp', 'adamw_zero_first'].map((run) => [key, run]),
    ),
  )('takes the steps of AdamW as PyTorch: %s, %s', async (key, run) => {
    const { factors, losses, params } = expected[key][run];
    const { tensors, done } = await steps(engine, cases[key], factors);
    for (const [index, { outputs }] of done.entries())
      expect(Math.abs(outputs.loss[0] - losses[index])).toBeLessThan(1e-4);
    for (const tensor of tensors)
      for (const [index, { state }] of done.entries()) {
        const want = params[theirs(tensor.name)][`after_step${index + 1}`];
        if (!want) continue;
        const got = toTorch(tensor, state[tensor.name] as Float32Array);
        // Adam divides rounding noise by itself where the gradient is zero in theory: a key's bias changes no softmax.
        const noise = tensor.name.endsWith('key.bias');
        const { lr } = expected.adamw;
        expect(worst(got, want.first6), tensor.name).toBeLessThan(noise ? 2 * lr * (index + 1) : 1e-5);
        if (!noise) expect(Math.abs(norm(got) / want.l2 - 1), tensor.name).toBeLessThan(1e-6);
      }
  });
});

it('has the tensors of Hugging Face’s networks under their names', () => {
  for (const [key, { tensors: own }] of Object.entries(cases)) {
    const ours = own.map(({ name, shape }) => `${theirs(name)} ${shape}`).sort();
    const wanted = names.filter(({ models }) => models?.includes(key));
    expect(ours).toEqual(wanted.map(({ name, shape }) => `${name} ${shape}`).sort());
    for (const tensor of own) expect(tfShape(tensor)).toHaveLength(tensor.shape.length);
  }
});
