import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { distanceOptions, featureDistance, publishedBatch, stageEnds } from '../feature-distance.ts';
import { term } from '../term.ts';

/**
 * Feature maps kept near those of the pre-trained network on the same images, all channels alike: DELTA without its attention. Li et al.,
 * «DELTA: Deep Learning Transfer using Feature Map with Attention», ICLR 2019, equation 4.
 */
export const featureMap = term({
  name: 'feature-map',
  title: 'Feature maps',
  help: 'keeps the feature maps at the ends of stages near those of the pre-trained network on the same images',
  formula: 'CE(H(F(x)), y_t) + 64 α · ½ Σ_l mean_i ‖FM_l(x_i) − FM⁰_l(x_i)‖² + β/2 ‖w_head‖²',
  when: 'few labels, and images like those that the network was pre-trained on; it costs a forward pass of a frozen copy at each step',
  source:
    'Li, Xiong, Wang, Rao, Liu, Huan, «DELTA: Deep Learning Transfer using Feature Map with Attention», ICLR 2019, equation 4; α and β as in its code, whose sum over 64 images is here 64 times an average image, whatever the batch',
  options: z.strictObject(distanceOptions),
  needs: ['pretrained-weights', 'images'],
  excludes: { delta: 'both hold the same feature maps, DELTA with learned weights of their channels.' },
  watches: stageEnds,
  loss: (view, _, { alpha, form }) => ({
    curve: 'feature_loss',
    value: featureDistance(view, form, () => null),
    weight: publishedBatch * alpha,
  }),
  penalty: ({ isHead, value }, _, { beta }) => (isHead ? tf.mul(value, beta) : null),
});
