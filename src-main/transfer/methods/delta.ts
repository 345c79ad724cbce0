import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { channelWeights } from '../channel-weights.ts';
import { distanceOptions, featureDistance, publishedBatch, stageEnds } from '../feature-distance.ts';
import { term } from '../term.ts';

/**
 * DELTA: feature maps kept near those of the pre-trained network on the same images, each channel as much as the loss of the pre-trained
 * network with a fitted head rises without it. Li, Xiong, Wang, Rao, Liu, Huan, «DELTA: Deep Learning Transfer using Feature Map with
 * Attention», ICLR 2019, equations 4 to 6.
 */
export const delta = term({
  name: 'delta',
  title: 'DELTA',
  help: 'keeps those feature maps near the pre-trained network’s that the target classes are told apart by',
  formula:
    'CE(H(F(x)), y_t) + 64 α · ½ Σ_l Σ_c w_lc mean_i ‖FM_lc(x_i) − FM⁰_lc(x_i)‖² + β/2 ‖w_head‖², w_l = softmax(z-score(loss increase without c) / 5)',
  when: 'few labels, and images like those that the network was pre-trained on; each step takes a forward pass of a frozen copy',
  source:
    'Li, Xiong, Wang, Rao, Liu, Huan, «DELTA: Deep Learning Transfer using Feature Map with Attention», ICLR 2019, equations 4 to 6; α, β, 5 and the scale of maps as in its code, at the ends of stages; its sum over 64 images is here 64 times an average image, whatever the batch',
  options: z.strictObject({
    ...distanceOptions,
    images: z.number().int().min(1).max(100_000).default(32).meta({
      title: 'Images for channel weights',
      description:
        'training images, evenly over the classes, by which the loss without a channel is measured',
    }),
  }),
  prepares: 'learning channel weights',
  needs: ['pretrained-weights', 'images'],
  watches: stageEnds,
  state: (network) =>
    Object.fromEntries(
      stageEnds(network).map((tap, index) => [
        tap,
        { shape: [network.backbone.stageChannels[index + 1]], dtype: 'float32' },
      ]),
    ),
  prepare: async (preparation, { images }) => ({
    state: await preparation.kept({ version: 1, images }, () => channelWeights(preparation, images)),
  }),
  loss: (view, { state }, { alpha, form }) => ({
    curve: 'feature_loss',
    value: featureDistance(view, form, (layer) => state[layer]),
    weight: publishedBatch * alpha,
  }),
  penalty: ({ isHead, value }, _, { beta }) => (isHead ? tf.mul(value, beta) : null),
});
