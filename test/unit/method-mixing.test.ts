import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { randomOf } from '../../src-main/data/random.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import { optimizerOf, termsOf } from '../../src-main/transfer/catalog.ts';
import { feedsAt } from '../../src-main/transfer/feeds.ts';
import type { Part } from '../../src-shared/domain.ts';
import { heldOf, oneHot } from './terms.ts';

test('`cutmix` pastes one rectangle of the partner and mixes labels by its area', async () => {
  await openReferenceEngine();
  tf.setBackend('cpu');
  const [{ term, options }] = termsOf([], [{ name: 'cutmix' }]);
  const [batch, size] = [3, 16];
  const pixels = Float32Array.from({ length: batch * size * size * 3 }, (_, i) => i * 0.37);
  const images = tf.tensor4d(pixels, [batch, size, size, 3]);
  const areas = [];
  for (let step = 0; step < 60; step++) {
    const random = randomOf(1, 'cutmix', step);
    const { partners, rows, columns, share } = term.feeds!.values(
      { batch, size },
      {} as never,
      options,
      random,
      step,
    );
    const fed = {
      partners: tf.tensor1d(partners as Int32Array, 'int32'),
      rows: tf.tensor1d(rows as Float32Array),
      columns: tf.tensor1d(columns as Float32Array),
      share: tf.scalar(share[0]),
    };
    const labels = tf.tensor2d(oneHot([0, 1, 2], 3));
    const mixed = term.mix!({ images, labels }, heldOf({ fed }), options);
    const out = mixed.images.dataSync();
    let pasted = 0;
    for (let i = 0; i < batch; i++)
      for (let y = 0; y < size; y++)
        for (let x = 0; x < size; x++) {
          const inside = rows[y] === 1 && columns[x] === 1;
          if (i === 0) pasted += Number(inside);
          const at = (y * size + x) * 3;
          expect(out[i * size * size * 3 + at]).toBe(
            pixels[(inside ? partners[i] : i) * size * size * 3 + at],
          );
        }
    areas.push(pasted / size ** 2);
    // Sums of numbers of 24 bits.
    expect(share[0]).toBeCloseTo(1 - pasted / size ** 2, 6);
    const [first] = mixed.labels.arraySync();
    expect(first[0]).toBeCloseTo(partners[0] === 0 ? 1 : share[0], 6);
  }
  expect(Math.max(...areas)).toBeGreaterThan(0.3);
  expect(Math.min(...areas)).toBeLessThan(0.1);
});

test('mixup and cutmix take turns, evenly; alone each has every step', () => {
  const fedAt = (extras: Part[], step: number) => {
    const options = {
      terms: termsOf([], extras),
      optimizer: optimizerOf({ name: 'sgd' }),
      batch: 4,
      size: 16,
    };
    return feedsAt(step, 0.1, {} as never, { ...options, headLearningRateMultiplier: 1 }, 5);
  };
  const both = Array.from({ length: 200 }, (_, step) =>
    fedAt([{ name: 'mixup', alpha: 1 }, { name: 'cutmix' }], step),
  );
  const mixups = both.filter((fed) => fed['mixup/share'][0] !== 1);
  for (const fed of mixups) expect([fed['cutmix/share'][0], Math.max(...fed['cutmix/rows'])]).toEqual([1, 0]);
  // 200 draws at one half: deviation 7.
  expect(Math.abs(mixups.length - 100)).toBeLessThan(28);
  for (let step = 0; step < 20; step++)
    expect(fedAt([{ name: 'mixup', alpha: 1 }], step)['mixup/share'][0]).not.toBe(1);
});
