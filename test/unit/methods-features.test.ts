import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { attentionOf } from '../../src-main/transfer/channel-weights.ts';
import { publishedBatch } from '../../src-main/transfer/feature-distance.ts';
import type { Part } from '../../src-shared/domain.ts';
import { agrees, heldOf, recorded, valueAndGradients, viewOf } from './terms.ts';

type Maps = typeof recorded.feature_map.inputs;

/** NCHW to NHWC. */
const channelsLast = (maps: number[][][][]) =>
  maps.map(([...channels]) =>
    channels[0].map((row, y) => row.map((_, x) => channels.map((channel) => channel[y][x]))),
  );

/** A term's value, times a factor, and its gradients, for the maps of two stages. */
async function distance(
  part: Part,
  { a, a0, b, b0 }: Maps,
  factor: number,
  weights: Record<string, number[]> = {},
) {
  const [{ term, options }] = termsOf([part]);
  const values = {
    a: channelsLast(a),
    a0: channelsLast(a0),
    b: channelsLast(b),
    b0: channelsLast(b0),
    ...weights,
  };
  return valueAndGradients(values, ['a', 'b'], (given) => {
    const view = viewOf({
      taps: { stage1: given.a, stage2: given.b, features: given.a },
      beside: { taps: { stage1: given.a0, stage2: given.b0 }, sourceLogits: null, teacherLogits: null },
    });
    const state = Object.fromEntries(Object.keys(weights).map((name) => [name, given[name]]));
    const added = term.loss!(view, heldOf({ state }), options);
    expect(added.weight).toBeCloseTo(publishedBatch * (options as { alpha: number }).alpha, 12);
    return tf.mul(added.value, factor);
  });
}

test.each([
  ['feature_map', 6],
  ['feature_map_batch_mean', 1],
] as const)(
  'feature maps are held as recorded from PyTorch, as a mean over the batch: %s',
  async (name, factor) => {
    const { inputs, value, grads } = recorded[name];
    const found = await distance({ name: 'feature-map', form: 'paper' }, inputs, factor);
    agrees(found.value, value);
    agrees(found.a, channelsLast(grads.a));
    agrees(found.b, channelsLast(grads.b));
  },
);

test('feature maps of any side count alike in the form of the code, which uniform channel weights give too', async () => {
  const { inputs } = recorded.feature_map;
  const plain = await distance({ name: 'feature-map' }, inputs, 1);
  const doubled = (maps: number[][][][]) =>
    maps.map((image) => image.map((channel) => channel.flatMap((row) => [row, row])));
  const large = await distance(
    { name: 'feature-map' },
    { a: doubled(inputs.a), a0: doubled(inputs.a0), b: doubled(inputs.b), b0: doubled(inputs.b0) },
    1,
  );
  agrees(large.value, plain.value[0]);
  const twice = (maps: number[][][][]) => [...maps, ...maps];
  const more = await distance(
    { name: 'feature-map' },
    { a: twice(inputs.a), a0: twice(inputs.a0), b: twice(inputs.b), b0: twice(inputs.b0) },
    1,
  );
  agrees(more.value, plain.value[0]);
});

test('channels weigh by what the loss rises without them, as recorded from public code; alike where nothing tells them apart', () => {
  const { inputs, common } = recorded.delta_attention;
  agrees(attentionOf(inputs.loss_increase_a), common.a);
  agrees(attentionOf(inputs.loss_increase_b), common.b);
  expect([...attentionOf([2, 2, 2, 2])]).toEqual([0.25, 0.25, 0.25, 0.25]);
});

test.each([
  ['delta_paper_sum', 'paper', 6],
  ['delta_paper_batch_mean', 'paper', 1],
  ['delta_common', 'code', 6],
] as const)(
  'weighed feature maps are held as recorded from PyTorch, as a mean over the batch: %s',
  async (name, form, factor) => {
    const { inputs, value, grads } = recorded[name];
    const weights = { stage1: inputs.wa, stage2: inputs.wb };
    const found = await distance({ name: 'delta', form }, inputs, factor, weights);
    agrees(found.value, value);
    agrees(found.a, channelsLast(grads.a));
    agrees(found.b, channelsLast(grads.b));
  },
);
