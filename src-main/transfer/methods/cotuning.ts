import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { approaches } from '../../../src-shared/names.ts';
import { permutation, randomOf } from '../../data/random.ts';
import type { Arrays, Specs } from '../../engine/engine.ts';
import { sizeOf } from '../../engine/trace/ir.ts';
import { crossEntropy } from '../cross-entropy.ts';
import { categoriesOf } from '../step-input.ts';
import { type Preparation, term } from '../term.ts';

/**
 * Co-Tuning: loss = CE(H(F(x)), y_t) + λ · CE(G_s(F(x)), p(y_s | y_t)).
 * You, Kou, Long, Wang, «Co-Tuning for Transfer Learning», NeurIPS 2020, equation 2; λ = 2.3 in its experiments.
 */
export const cotuning = term({
  name: 'cotuning',
  title: 'Co-tuning',
  help: 'learns how source and target classes relate, and keeps the source head in training with the labels that follow',
  formula: 'CE(H(F(x)), y_t) + λ · CE(G_s(F(x)), p(y_s | y_t))',
  when: 'few labels and many fine-grained classes whose kin the network was trained on; for a few hundred steps of a small network with a λ of about 0.3, of a large one as published',
  source: 'You, Kou, Long, Wang, «Co-Tuning for Transfer Learning», NeurIPS 2020, equation 2',
  options: z.strictObject({
    tradeOff: z
      .number()
      .min(0)
      .max(1000)
      .default(2.3)
      .meta({
        title: 'Trade-off λ',
        description: 'weight of the source term',
        strength: [1, 0.1, 0.3, 3],
      }),
    approach: z
      .enum(approaches)
      .default('reverse')
      .meta({ title: 'Relationship', description: 'how the relationship is learned' }),
    warmup: z.number().int().min(0).max(1_000_000).default(0).meta({
      title: 'Warm-up of λ',
      description: 'steps over which λ grows from nothing, so that the new head learns first',
      unit: 'steps',
    }),
    sourceHeadRate: z.number().min(0).max(100).default(1).meta({
      title: 'Rate of the source head',
      description: 'factor on the learning rate of the source head; 0 leaves it as it was pre-trained',
    }),
    shuffled: z.boolean().default(false).meta({
      title: 'Shuffled control',
      description:
        'gives every class the relationship of another: what is gained all the same comes from regularization, not from meaning',
    }),
  }),
  needs: ['pretrained-weights', 'source-head', 'relationship'],
  prepares: 'learning the relationship',
  relationship: ({ approach }) => approach,
  async prepare(preparation, { tradeOff, warmup, approach, shuffled }) {
    const { relationship, network, seed, note } = preparation;
    for (const text of cautionsOf({ tradeOff, warmup }, preparation)) note(text);
    const matrix = await relationship(approach);
    return {
      state: { relationship: shuffled ? withRowsOfOthers(matrix, categoriesOf(network), seed) : matrix },
    };
  },
  state: (network) => ({
    relationship: { shape: [categoriesOf(network), network.sourceClasses], dtype: 'float32' },
  }),
  feeds: {
    specs: (_, __, { warmup }): Specs => (warmup > 0 ? { share: { shape: [], dtype: 'float32' } } : {}),
    values: (_, __, { warmup }, ___, step): Arrays =>
      warmup > 0 ? { share: Float32Array.of(Math.min(1, (step + 1) / warmup)) } : {},
  },
  rate: (tensor, { backbone }, { sourceHeadRate }) =>
    tensor.startsWith(`${backbone.head}.`) ? sourceHeadRate : 1,
  loss({ source, sourceLogits }, { state, fed }, { tradeOff, warmup }) {
    // p(y_s | y_t) of each row's label: a row of the relationship picked by its one-hot label, or mixed rows.
    const distributions = tf.matMul(source.labels, state.relationship as tf.Tensor2D);
    return {
      curve: 'source_loss',
      value: crossEntropy(sourceLogits!, distributions as tf.Tensor2D, source.counts),
      weight: warmup > 0 ? tf.mul(fed.share as tf.Scalar, tradeOff) : tradeOff,
    };
  },
});

/** The matrix with its rows in an order drawn from the seed in which none stays: a cycle through all classes. */
export function withRowsOfOthers(matrix: Float32Array, rows: number, seed: number): Float32Array {
  const columns = matrix.length / rows;
  const order = permutation(rows, randomOf(seed, 'shuffled relationship'));
  const shuffled = new Float32Array(matrix.length);
  for (const [at, row] of order.entries()) {
    const other = order[(at + 1) % rows];
    shuffled.set(matrix.subarray(other * columns, (other + 1) * columns), row * columns);
  }
  return shuffled;
}

/** Weights of a backbone: MobileNetV2's 2.2 million were spoiled by a large λ, ResNet-50's 23.5 million were not; between nothing was tried. */
const spoiledBelow = 15_000_000;

/** What was found to spoil it (docs/evidence.md), where a run is like that. */
function cautionsOf(
  { tradeOff, warmup }: { tradeOff: number; warmup: number },
  { network, steps, size, ownSize }: Preparation,
): string[] {
  const weights = network.backbone.tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const isHeavy = weights < spoiledBelow && tradeOff >= 1 && steps < 2000 && warmup < steps / 3;
  const isSmall = size < ownSize / 2;
  return [
    ...(isHeavy
      ? [
          `A λ of ${tradeOff} weighs heavily in ${steps} steps of a small network: of MobileNetV2 on bird species 2.3 was worse than plain fine-tuning by 4 to 14 points in 300 steps, and neither was 0.3 nor one that grew over the first half (--cotuning.warmup); of ResNet-50 2.3 was better by 3.`,
        ]
      : []),
    ...(isSmall
      ? [
          `The network was trained with pictures of ${ownSize} px and sees ${size} here: its source classes may hardly be told apart in them, and co-tuning gains little.`,
        ]
      : []),
  ];
}
