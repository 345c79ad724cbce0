import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { betaOf } from '../../data/beta.ts';
import { permutation, type Random } from '../../data/random.ts';
import { term } from '../term.ts';

/**
 * CutMix: a rectangle of each image comes from image j, and labels are mixed by the share of the area that it leaves, λ. The
 * rectangle is one a batch: its area 1 − λ of the image with λ ~ Beta(α, α), its middle anywhere, cut off at the edges, which then
 * corrects λ. Yun et al., ICCV 2019, section 3.1. Mixed labels pick mixed rows of a relationship.
 */
export const cutmix = term({
  name: 'cutmix',
  title: 'CutMix',
  help: 'pastes a rectangle of another image into each, with their labels mixed by area',
  formula:
    'x = M ⊙ x_i + (1 − M) ⊙ x_j, y = λ y_i + (1 − λ) y_j, λ the share of M; λ ~ Beta(α, α) before the cut',
  when: 'long trainings that overfit; with mixup besides, each step has one of the two, evenly; short trainings learn less',
  source:
    'Yun et al., «CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features», ICCV 2019, section 3.1; turns with mixup as timm’s switch_prob 0.5',
  options: z.strictObject({
    alpha: z
      .number()
      .gt(0)
      .max(100)
      .default(1)
      .meta({ title: 'CutMix α', description: 'how even areas are: λ is drawn from Beta(α, α)' }),
  }),
  needs: ['images'],
  feeds: {
    specs: ({ batch, size }) => ({
      partners: { shape: [batch], dtype: 'int32' },
      // The rectangle: the rows and the columns that come from the partner are 1.
      rows: { shape: [size], dtype: 'float32' },
      columns: { shape: [size], dtype: 'float32' },
      share: { shape: [], dtype: 'float32' },
    }),
    values({ batch, size }, _, { alpha }, random) {
      const partners = permutation(batch, random);
      const side = Math.sqrt(1 - betaOf(alpha, random)) * size;
      const [rows, columns] = [stretch(size, side, random), stretch(size, side, random)];
      const inside = count(rows) * count(columns);
      return { partners, rows, columns, share: Float32Array.of(1 - inside / size ** 2) };
    },
    idle: ({ batch, size }) => ({
      partners: new Int32Array(batch),
      rows: new Float32Array(size),
      columns: new Float32Array(size),
      share: Float32Array.of(1),
    }),
  },
  mix({ images, labels }, { fed: { partners, rows, columns, share } }) {
    const ofPartners = <T extends tf.Tensor>(values: T): T => tf.gather(values, partners as tf.Tensor1D) as T;
    const pasted = tf.mul(tf.reshape(rows, [1, -1, 1, 1]), tf.reshape(columns, [1, 1, -1, 1]));
    return {
      images: tf.add(tf.mul(images, tf.sub(1, pasted)), tf.mul(ofPartners(images), pasted)),
      labels: tf.add(tf.mul(labels, share), tf.mul(ofPartners(labels), tf.sub(1, share))),
    };
  },
});

/** 1 on a stretch of about `length` whose middle is drawn evenly, cut off at the ends. */
function stretch(size: number, length: number, random: Random): Float32Array {
  const middle = Math.floor(random() * size);
  const half = Math.floor(Math.floor(length) / 2);
  const inside = new Float32Array(size);
  return inside.fill(1, Math.max(0, middle - half), Math.min(size, middle + half));
}

const count = (inside: Float32Array): number => inside.reduce((sum, value) => sum + value, 0);
