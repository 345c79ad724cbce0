import * as tf from '@tensorflow/tfjs-core';
import { ownKernel } from './own-kernel.ts';

type Shape4 = [number, number, number, number];

interface Setting {
  groups: number;
  stride: number;
  pad: 'same' | 'valid' | number;
}

/**
 * A convolution whose channels fall into groups that do not see each other: x [batch, h, w, in], filter
 * [kh, kw, in / groups, out] → [batch, h', w', out]. Krizhevsky et al., «ImageNet Classification», NeurIPS 2012, figure 2;
 * Xie et al., «Aggregated Residual Transformations», CVPR 2017.
 */
export function groupedConv2d(x: tf.Tensor4D, filter: tf.Tensor4D, setting: Setting): tf.Tensor4D {
  const { groups, stride, pad } = setting;
  const attributes = { groups, strides: [stride, stride], pad, dilations: 1, dimRoundingMode: 'floor' };
  const op = tf.customGrad((...inputs) => {
    const [image, weights, save] = inputs as unknown as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
    save([image, weights]);
    const value = ownKernel('GroupedConv2D', { x: image, filter: weights }, attributes, () =>
      tf.concat(
        each(image, weights, groups).map(([part, kernel]) => tf.conv2d(part, kernel, stride, pad)),
        3,
      ),
    );
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [kept, kernel] = saved as [tf.Tensor4D, tf.Tensor4D];
      return [inputGradient(dy as tf.Tensor4D, kernel, kept.shape), filterGradient(kept, dy, kernel.shape)];
    };
    return { value, gradFunc };
  });

  const inputGradient = (dy: tf.Tensor4D, kernel: tf.Tensor4D, inputShape: Shape4): tf.Tensor =>
    ownKernel('GroupedConv2DBackpropInput', { dy, filter: kernel }, { ...attributes, inputShape }, () => {
      const shape = inputShape.with(3, inputShape[3] / groups) as Shape4;
      return tf.concat(
        each(dy, kernel, groups).map(([part, weights]) =>
          runKernel('Conv2DBackpropInput', { dy: part, filter: weights }, { ...plain, inputShape: shape }),
        ),
        3,
      );
    });

  const filterGradient = (kept: tf.Tensor4D, dy: tf.Tensor, filterShape: Shape4): tf.Tensor =>
    ownKernel('GroupedConv2DBackpropFilter', { x: kept, dy }, { ...attributes, filterShape }, () => {
      const shape = filterShape.with(3, filterShape[3] / groups) as Shape4;
      const [images, gradients] = [kept, dy].map((tensor) => tf.split(tensor, groups, 3));
      return tf.concat(
        images.map((part, group) =>
          runKernel(
            'Conv2DBackpropFilter',
            { x: part, dy: gradients[group] },
            { ...plain, filterShape: shape },
          ),
        ),
        3,
      );
    });
  const plain = { strides: [stride, stride], pad, dataFormat: 'NHWC', dimRoundingMode: undefined };
  return op(x, filter) as tf.Tensor4D;
}

const runKernel = (name: string, inputs: Record<string, tf.Tensor>, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attributes as never) as tf.Tensor;

/** An image and a filter, group by group. */
function each(image: tf.Tensor4D, filter: tf.Tensor4D, groups: number): [tf.Tensor4D, tf.Tensor4D][] {
  const kernels: tf.Tensor4D[] = tf.split(filter, groups, 3);
  const parts: tf.Tensor4D[] = tf.split(image, groups, 3);
  return parts.map((part, group) => [part, kernels[group]]);
}
