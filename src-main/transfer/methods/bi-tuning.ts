import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { normalOf, randomOf } from '../../data/random.ts';
import type { Arrays, Tensors } from '../../engine/engine.ts';
import { enqueue, enqueuing } from '../class-queue.ts';
import { categoricalContrast, contrastiveCrossEntropy, unit, withOne } from '../contrast.ts';
import { type Network, specsOf, targetHead } from '../network.ts';
import { type Preparation, type Prepared, term } from '../term.ts';

const hardLabels = 'a mixed image belongs to no class’s queue.';

const ownCopy = 'its slowly following copy is one of the pre-trained network as it is.';

/** Parameters that the momentum encoder has a copy of: the backbone's and the projector's. */
const copied = ({ backbone }: Network) => backbone.tensors.filter(({ kind }) => kind !== 'running');

const projector = (network: Network, width: number) => [
  {
    name: 'projector.weight',
    kind: 'linear' as const,
    shape: [width, network.backbone.features],
    order: [1, 0],
  },
  { name: 'projector.bias', kind: 'vector' as const, shape: [width], order: [0] },
];

const keyName = (parameter: string): string => `key/${parameter}`;

const project = (features: tf.Tensor2D, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor2D =>
  tf.add(tf.matMul(features, weight as tf.Tensor2D), bias) as tf.Tensor2D;

/**
 * Bi-Tuning: two contrastive losses beside cross-entropy, of the classifier with features (CCE) and of projected features with each other
 * (CCL), against queues by class that a momentum encoder fills from a second view of each image. Zhong, You, Cao, Long, «Bi-tuning of
 * Pre-trained Representations», 2020, equation 5; as TLlib has it, but that the classifier's weights learn from CCE too, as the paper has it,
 * and that both losses see the queues as they were before the batch.
 */
export const biTuning = term({
  name: 'bi-tuning',
  title: 'Bi-Tuning',
  help: 'pulls images of a class together and classes apart, against queues of features that a slowly following copy fills',
  formula:
    'CE(H(F(x)), y_t) + λ · (CCE(H, F(x), queues) + CCL(P(F(x)), queues)), keys from F̄ ← m F̄ + (1 − m) F',
  when: 'networks pre-trained without labels, and enough images to fill the queues; a step takes a second view and a pass of the copy',
  source:
    'Zhong, You, Cao, Long, «Bi-tuning of Pre-trained Representations», 2020, equations 3 to 5; K, m, τ, width and λ as in TLlib',
  options: z.strictObject({
    tradeOff: z
      .number()
      .min(0)
      .max(1000)
      .default(1)
      .meta({
        title: 'Trade-off λ',
        description: 'weight of both contrastive losses',
        strength: [1, 0.1, 0.3, 3],
      }),
    queue: z
      .number()
      .int()
      .min(1)
      .max(4096)
      .default(40)
      .meta({ title: 'Queue K', description: 'keys that are kept of each class' }),
    momentum: z
      .number()
      .min(0)
      .lt(1)
      .default(0.999)
      .meta({ title: 'Momentum m', description: 'how slowly the copy follows' }),
    temperature: z
      .number()
      .gt(0)
      .max(10)
      .default(0.07)
      .meta({ title: 'Temperature τ', description: 'how sharply similar keys are told apart' }),
    width: z
      .number()
      .int()
      .min(1)
      .max(4096)
      .default(128)
      .meta({ title: 'Projector', description: 'width of the projected features' }),
  }),
  needs: ['images'],
  excludes: {
    mixup: hardLabels,
    cutmix: hardLabels,
    scratch: ownCopy,
    adapter: ownCopy,
    lora: ownCopy,
  },
  secondView: true,
  tensors: (network, { width }) => projector(network, width),
  state(network, { queue, width }) {
    const { backbone, targetClasses } = network;
    const copies = specsOf([...copied(network), ...projector(network, width)]);
    const places = targetClasses * queue;
    return {
      ...Object.fromEntries(Object.entries(copies).map(([name, spec]) => [keyName(name), spec])),
      features: { shape: [places, backbone.features + 1], dtype: 'float32' },
      projections: { shape: [places, width], dtype: 'float32' },
      pointers: { shape: [targetClasses], dtype: 'float32' },
    };
  },
  prepare: async (preparation, { queue, width }) => beginning(preparation, queue, width),
  observe({ labels, secondView, encode }, { state }, { queue }) {
    const copies = withoutPrefix(state);
    const features = encode(secondView!, copies);
    const entering = enqueuing(labels, state.pointers as tf.Tensor1D, queue);
    return {
      features: withOne(features),
      projections: unit(project(features, copies['projector.weight'], copies['projector.bias'])),
      rows: entering.rows,
      pointers: entering.pointers,
    };
  },
  loss({ pooled, labels, weights }, { state, observed }, { tradeOff, temperature }) {
    const kernel = tf.reshape(weights[`${targetHead}.weight`], [-1, labels.shape[1]]);
    const bias = tf.reshape(weights[`${targetHead}.bias`], [-1, 1]);
    const classifier = unit(tf.concat([tf.transpose(kernel), bias], 1) as tf.Tensor2D);
    const cce = contrastiveCrossEntropy(
      classifier,
      withOne(pooled),
      state.features as tf.Tensor2D,
      labels,
      temperature,
    );
    const ccl = categoricalContrast(
      project(pooled, weights['projector.weight'], weights['projector.bias']),
      observed.projections as tf.Tensor2D,
      state.projections as tf.Tensor2D,
      labels,
      temperature,
    );
    return { curve: 'contrastive_loss', value: tf.add(cce, ccl), weight: tradeOff };
  },
  advance({ weights }, { state, observed }, { momentum }) {
    const moved: Tensors = {};
    for (const [name, value] of Object.entries(weights)) {
      const copy = state[keyName(name)];
      if (copy) moved[keyName(name)] = tf.add(tf.mul(copy, momentum), tf.mul(value, 1 - momentum));
    }
    const entered = (name: string) =>
      enqueue(state[name] as tf.Tensor2D, observed[name] as tf.Tensor2D, observed.rows as tf.Tensor1D);
    return {
      ...moved,
      features: entered('features'),
      projections: entered('projections'),
      pointers: observed.pointers,
    };
  },
});

const withoutPrefix = (state: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(state)
      .filter(([name]) => name.startsWith(keyName('')))
      .map(([name, value]) => [name.slice(keyName('').length), value]),
  );

/** Copies that begin where training does, a projector as torch.nn.Linear begins, and queues of random keys of length one. */
function beginning({ network, seed, weights }: Preparation, queue: number, width: number): Prepared {
  const { features } = network.backbone;
  const places = network.targetClasses * queue;
  const random = randomOf(seed, 'projector');
  const bound = 1 / Math.sqrt(features);
  const uniform = (count: number) => Float32Array.from({ length: count }, () => (2 * random() - 1) * bound);
  const started: Arrays = {
    'projector.weight': uniform(features * width),
    'projector.bias': uniform(width),
  };
  const known: Arrays = { ...weights(), ...started };
  const copies = [...copied(network).map(({ name }) => name), ...Object.keys(started)];
  return {
    network: started,
    state: {
      ...Object.fromEntries(copies.map((name) => [keyName(name), known[name].slice()])),
      features: randomUnits(places, features + 1, seed, 'queue of features'),
      projections: randomUnits(places, width, seed, 'queue of projections'),
    },
  };
}

function randomUnits(rows: number, width: number, seed: number, purpose: string): Float32Array {
  const random = randomOf(seed, purpose);
  const values = Float32Array.from({ length: rows * width }, () => normalOf(random));
  for (let row = 0; row < rows; row++) {
    const own = values.subarray(row * width, (row + 1) * width);
    const length = Math.hypot(...own);
    for (let at = 0; at < width; at++) own[at] /= length;
  }
  return values;
}
