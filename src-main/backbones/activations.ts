/** Activations whose gradients need little from the forward pass: read off the result where that is enough. */
import * as tf from '@tensorflow/tfjs-core';

type Map = (x: tf.Tensor) => tf.Tensor;

/**
 * max(x, 0). Its gradient is read off the result (dy where y > 0), so that the input need not outlive the forward pass.
 */
export const relu = <T extends tf.Tensor>(x: T): T => withGradientFromResult(x, tf.relu, (y) => tf.step(y));

/** min(max(x, 0), 6); the gradient dy where 0 < y < 6 is read off the result likewise. */
export const relu6 = <T extends tf.Tensor>(x: T): T =>
  withGradientFromResult(x, tf.relu6, (y) => tf.mul(tf.step(y), tf.cast(tf.less(y, 6), 'float32')));

/** 1/(1 + exp(−x)), with slope y(1 − y). */
export const sigmoid = <T extends tf.Tensor>(x: T): T =>
  withGradientFromResult(x, tf.sigmoid, (y) => tf.mul(y, tf.sub(1, y)));

const shifted = (x: tf.Tensor): tf.Tensor => tf.add(tf.mul(x, 1 / 6), 0.5);

/** min(max(x/6 + 1/2, 0), 1), with slope 1/6 where 0 < y < 1. Howard et al., «Searching for MobileNetV3», ICCV 2019. */
export const hardSigmoid = <T extends tf.Tensor>(x: T): T =>
  withGradientFromResult(
    x,
    (value) => tf.clipByValue(shifted(value), 0, 1),
    (y) => tf.mul(tf.mul(tf.step(y), tf.step(tf.sub(1, y))), 1 / 6),
  );

/** x · hardSigmoid(x), with slope hardSigmoid(x) + x/6 where −3 < x < 3. The same paper, section 5.2. */
export const hardSwish = <T extends tf.Tensor>(x: T): T =>
  withGradientFromInput(
    x,
    (value) => tf.mul(value, tf.clipByValue(shifted(value), 0, 1)),
    (value) => {
      const y = tf.clipByValue(shifted(value), 0, 1);
      const inside = tf.mul(tf.step(y), tf.step(tf.sub(1, y)));
      return tf.add(y, tf.mul(tf.mul(value, 1 / 6), inside));
    },
  );

/** x · sigmoid(x), with slope σ(1 + x(1 − σ)). Elfwing et al., «Sigmoid-weighted linear units», Neural Networks 2018. */
export const silu = <T extends tf.Tensor>(x: T): T =>
  withGradientFromInput(
    x,
    (value) => tf.mul(value, tf.sigmoid(value)),
    (value) => {
      const s = tf.sigmoid(value);
      return tf.mul(s, tf.add(1, tf.mul(value, tf.sub(1, s))));
    },
  );

function withGradientFromResult<T extends tf.Tensor>(x: T, activate: Map, slope: Map): T {
  const op = tf.customGrad((...inputs) => {
    const [input, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = activate(input);
    save([value]);
    return { value, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, slope(y)) };
  });
  return op(x) as T;
}

function withGradientFromInput<T extends tf.Tensor>(x: T, activate: Map, slope: Map): T {
  const op = tf.customGrad((...inputs) => {
    const [input, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const value = activate(input);
    return { value, gradFunc: (dy: tf.Tensor, [kept]: tf.Tensor[]) => tf.mul(dy, slope(kept)) };
  });
  return op(x) as T;
}
