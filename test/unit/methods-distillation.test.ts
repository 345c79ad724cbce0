import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import { termsOf } from '../../src-main/transfer/catalog.ts';
import { crossEntropy } from '../../src-main/transfer/cross-entropy.ts';
import { softenedDivergence } from '../../src-main/transfer/distillation.ts';
import type { Rows } from '../../src-main/transfer/step-input.ts';
import { type Teacher, teacherLogits } from '../../src-main/transfer/teacher.ts';
import { agrees, heldOf, oneHot, recorded, valueAndGradients, viewOf } from './terms.ts';

test('what the source head says is held to what it said as PyTorch’s divergence and its gradient have it', async () => {
  const { inputs, value, grads } = recorded.lwf_total;
  const [{ term, options }] = termsOf([{ name: 'lwf', tradeOff: inputs.lam, temperature: inputs.T }]);
  const labels = oneHot(inputs.labels, inputs.target[0].length);
  const { student, teacher, target } = inputs;
  const found = await valueAndGradients(
    { student, teacher, target, labels },
    ['student', 'target'],
    (given) => {
      const added = term.loss!(
        viewOf({
          sourceLogits: given.student as tf.Tensor2D,
          source: { labels: given.labels as tf.Tensor2D, counts: null },
          beside: { taps: {}, sourceLogits: given.teacher as tf.Tensor2D, teacherLogits: null },
        }),
        heldOf(),
        options,
      );
      const first = crossEntropy(given.target as tf.Tensor2D, given.labels as tf.Tensor2D);
      return tf.add(first, tf.mul(added.value, added.weight));
    },
  );
  agrees(found.value, value);
  agrees(found.student, grads.student);
  agrees(found.target, grads.target);
});

test('the divergence alone has the recorded value, and the cross-entropy that it is named by the same gradient', async () => {
  const { inputs, value, grads } = recorded.lwf_kl;
  const { student, teacher, T } = inputs;
  const found = await valueAndGradients({ student, teacher }, ['student'], (given) =>
    softenedDivergence(given.student as tf.Tensor2D, given.teacher as tf.Tensor2D, T),
  );
  agrees(found.value, value);
  agrees(found.student, grads.student);
  agrees(found.student, recorded.lwf_cross_entropy.grads.student);
});

test('a teacher’s part and the labels’ add up to the distillation recorded from PyTorch', async () => {
  const { inputs, value, grads } = recorded.kd;
  const [{ term, options }] = termsOf([{ name: 'kd', teacher: 1, alpha: inputs.a, temperature: inputs.T }]);
  const { student, teacher } = inputs;
  const labels = oneHot(inputs.labels, student[0].length);
  const partOf = async (whole: boolean) =>
    valueAndGradients({ student, teacher, labels }, ['student'], (given) => {
      const added = term.loss!(
        viewOf({
          targetLogits: given.student as tf.Tensor2D,
          beside: { taps: {}, sourceLogits: null, teacherLogits: given.teacher as tf.Tensor2D },
        }),
        heldOf(),
        options,
      );
      if (!whole) return added.value;
      const truth = given.labels as tf.Tensor2D;
      const first = crossEntropy(given.student as tf.Tensor2D, truth, term.weigh!(truth, heldOf(), options));
      return tf.add(first, tf.mul(added.value, added.weight));
    });
  const whole = await partOf(true);
  agrees(whole.value, value);
  agrees(whole.student, grads.student);
  const alone = await partOf(false);
  agrees(alone.value, recorded.kd_kl_only.value);
  agrees(alone.student, recorded.kd_kl_only.grads.student);
});

test('a teacher sees images normalized as it was trained, whatever the learner’s normalization', async () => {
  await openReferenceEngine();
  tf.setBackend('cpu');
  const pixels = tf.tensor4d([0.1, 0.5, 0.9], [1, 1, 1, 3]);
  const normalized = (mean: number[], std: number[]) =>
    tf.div(tf.sub(pixels, tf.tensor1d(mean)), tf.tensor1d(std)) as tf.Tensor4D;
  const seen: tf.Tensor[] = [];
  const backbone = {
    head: 'fc',
    forward: (images: tf.Tensor4D) => {
      seen.push(images);
      return images;
    },
    classify: (features: tf.Tensor) => features,
  };
  const [own, learners] = [
    { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.3] },
    { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  ] as { mean: [number, number, number]; std: [number, number, number] }[];
  const network = { backbone } as never;
  const rowsOf = (target: tf.Tensor) => ({ target }) as Rows;
  const asked = (normalization: Teacher['normalization'], images: tf.Tensor4D) =>
    teacherLogits({ network, head: 'source', normalization }, images, { scope: {}, rowsOf }, {});
  asked({ own, learners }, normalized(learners.mean, learners.std));
  agrees(seen[0].dataSync(), [...normalized(own.mean, own.std).dataSync()]);
  const same = normalized(own.mean, own.std);
  asked({ own, learners: own }, same);
  expect(seen[1]).toBe(same);
});
