import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { squaredScores } from '../../src-main/transfer/fisher.ts';
import { spreadOver } from '../../src-main/transfer/spread-over.ts';
import { agrees, heldOf, recorded } from './terms.ts';

/** The diagonal Fisher information of a linear softmax model, outcomes weighed for each image. */
function fisher(
  { x, W0, b0 }: { x: number[][]; W0: number[][]; b0: number[] },
  weightsOf: (image: number, logits: tf.Tensor2D) => number[],
) {
  const parameters = { W: tf.tensor2d(W0), b: tf.tensor1d(b0) };
  const classes = b0.length;
  const sums = { W: tf.zerosLike(parameters.W) as tf.Tensor, b: tf.zerosLike(parameters.b) as tf.Tensor };
  for (const [image, row] of x.entries()) {
    const logitsOf = ({ W, b }: Record<string, tf.Tensor>) =>
      tf.add(tf.matMul(tf.tensor2d([row]), W as tf.Tensor2D, false, true), b) as tf.Tensor2D;
    for (const [outcome, weight] of weightsOf(image, logitsOf(parameters)).entries()) {
      const squares = squaredScores(
        parameters,
        logitsOf,
        () => tf.oneHot(tf.tensor1d([outcome], 'int32'), classes, 1, 0, 'float32') as tf.Tensor2D,
      );
      for (const name of ['W', 'b'] as const)
        sums[name] = tf.add(sums[name], tf.mul(squares[name], weight / x.length));
    }
  }
  return sums;
}

test.each(['ewc_empirical', 'ewc_true'] as const)(
  'the Fisher information and the pull of the penalty are those recorded from PyTorch: %s',
  async (name) => {
    await openReferenceEngine();
    tf.setBackend('cpu');
    const { inputs, grads } = recorded[name];
    const found = fisher(inputs, (image, logits) =>
      name === 'ewc_true'
        ? [...tf.softmax(logits).dataSync()]
        : inputs.b0.map((_, outcome) => Number(outcome === inputs.labels[image])),
    );
    agrees(found.W.dataSync(), inputs.F_W);
    agrees(found.b.dataSync(), inputs.F_b);

    const [{ term, options }] = termsOf([{ name: 'ewc', lambda: inputs.lam }]);
    const pull = (parameter: string, value: tf.Tensor, anchor: tf.Tensor, information: tf.Tensor) =>
      term.penalty!(
        { name: parameter, isHead: false, value, anchor },
        heldOf({ state: { [parameter]: information } }),
        options,
      )!.dataSync();
    agrees(pull('W', tf.tensor(inputs.W), tf.tensor(inputs.W0), found.W), grads.W);
    agrees(pull('b', tf.tensor(inputs.b), tf.tensor(inputs.b0), found.b), grads.b);
  },
);

test('EWC leaves a new head alone', async () => {
  await openReferenceEngine();
  tf.setBackend('cpu');
  const [{ term, options }] = termsOf([{ name: 'ewc' }]);
  const parameter = { name: 'target.weight', isHead: true, value: tf.zeros([1]), anchor: null };
  expect(term.penalty!(parameter, heldOf(), options)).toBe(null);
});

test('images to prepare with are of all classes in turn, and as many as there are at most', () => {
  const labels = [0, 0, 0, 0, 1, 1, 2];
  const places = spreadOver(labels, 5);
  expect(places.map((place) => labels[place])).toEqual([0, 1, 2, 0, 1]);
  expect(new Set(places).size).toBe(5);
  expect(spreadOver(labels, 100).toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
