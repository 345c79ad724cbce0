import * as tf from '@tensorflow/tfjs-core';

/**
 * max(x, 0). Its gradient is read off the result (dy where y > 0), so that the input need not outlive the forward pass.
 */
export const relu = (x: tf.Tensor4D): tf.Tensor4D => withGradientFromResult(x, tf.relu, (y) => tf.step(y));

/** min(max(x, 0), 6); the gradient dy where 0 < y < 6 is read off the result likewise. */
export const relu6 = (x: tf.Tensor4D): tf.Tensor4D =>
  withGradientFromResult(x, tf.relu6, (y) => tf.mul(tf.step(y), tf.cast(tf.less(y, 6), 'float32')));

function withGradientFromResult(
  x: tf.Tensor4D,
  activate: (x: tf.Tensor) => tf.Tensor,
  slope: (y: tf.Tensor) => tf.Tensor,
): tf.Tensor4D {
  const op = tf.customGrad((...inputs) => {
    const [input, save] = inputs as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = activate(input);
    save([value]);
    return { value, gradFunc: (dy: tf.Tensor, [y]: tf.Tensor[]) => tf.mul(dy, slope(y)) };
  });
  return op(x) as tf.Tensor4D;
}
