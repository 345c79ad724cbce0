import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Network } from './network.ts';
import type { StepView } from './term.ts';

/** How maps of different shapes are made to count alike. */
const forms = ['code', 'paper'] as const;
export type Form = (typeof forms)[number];

/** The published weights multiply a sum over batches of so many images; here they multiply that of an average image as often. */
export const publishedBatch = 64;

/** Options of terms that hold feature maps. */
export const distanceOptions = {
  alpha: z
    .number()
    .min(0)
    .max(1000)
    .default(0.01)
    .meta({
      title: 'Feature maps α',
      description: 'weight of the distance between feature maps',
      strength: [1, 0.1, 10, 0.3],
    }),
  beta: z.number().min(0).max(1000).default(0.01).meta({
    title: 'New head β',
    description: 'weight of the new head’s own size, in place of weight decay',
  }),
  form: z.enum(forms).default('code').meta({
    title: 'Scale of maps',
    description:
      'code: a map counts by its mean over places, whatever the images’ side; paper: every place counts, early stages most',
  }),
};

const isStageEnd = (tap: string): boolean => /^stage\d+$/.test(tap);

/** The ends of the backbone's stages, the stem left out. */
export const stageEnds = ({ backbone }: Pick<Network, 'backbone'>): string[] =>
  backbone.taps.filter(isStageEnd);

/**
 * ½ Σ_l s_l Σ_c w_lc ‖FM_lc(x) − FM⁰_lc(x)‖², the mean over a batch; FM_lc is channel c of the end of stage l at all its places, w_lc sum to one
 * over a layer's channels, or are one where none are given. `paper`: s_l is 1; `code`, as DELTA's authors compute it: s_l is channels
 * over places, and 1 over places where no weights are given, so that uniform weights and none are the same, and neither the
 * images' side nor a layer's width decides what it counts. Li et al., «DELTA», ICLR 2019, equations 4 and 5.
 */
export function featureDistance(
  { taps, beside }: Pick<StepView, 'taps' | 'beside'>,
  form: Form,
  weightsOf: (layer: string) => tf.Tensor | null,
): tf.Scalar {
  const parts = Object.keys(taps)
    .filter(isStageEnd)
    .map((layer) => {
      const [now, before] = [taps[layer], beside.taps[layer]];
      const [images, channels] = [now.shape[0], now.shape.at(-1)!];
      const places = now.size / images / channels;
      const weights = weightsOf(layer);
      const scale = form === 'paper' ? 1 : (weights ? channels : 1) / places;
      return weightedDistance(now, before, weights, scale / (2 * images));
    });
  return tf.addN(parts) as tf.Scalar;
}

/** factor · Σ w (a − b)², w by the last axis, with its gradient by a, 2 factor w (a − b), in one pass instead of three. */
function weightedDistance(a: tf.Tensor, b: tf.Tensor, weights: tf.Tensor | null, factor: number): tf.Scalar {
  const weighed = (x: tf.Tensor) => (weights ? tf.mul(x, weights) : x);
  const op = tf.customGrad((...inputs) => {
    const [given, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    const difference = tf.sub(given, b);
    const pulled = weighed(difference);
    save([pulled]);
    return {
      value: tf.mul(tf.sum(tf.mul(difference, pulled)), factor) as tf.Scalar,
      gradFunc: (dy: tf.Tensor, [kept]: tf.Tensor[]) => tf.mul(kept, tf.mul(dy, 2 * factor)),
    };
  });
  return op(a) as tf.Scalar;
}
