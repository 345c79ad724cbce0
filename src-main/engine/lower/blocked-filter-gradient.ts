/** Filter gradients on blocked tensors: sums over pixels, done by ONNX Runtime's blocked convolutions. */
import type { Node } from '../trace/ir.ts';
import { reorders } from './blocked-convolution.ts';
import { formsOf } from './blocked-forms.ts';
import { pointwiseGradient } from './blocked-pointwise-gradient.ts';
import { windowGradient } from './blocked-window-gradient.ts';
import { type FilterLayout, layoutOfGradient, scaleFilter } from './filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';
import { convolutionGeometry } from './windows.ts';

const filterGradient = (node: Node, lowering: Lowering): boolean => {
  const [height, width, channelsIn, channelsOut] = node.attrs.filterShape as number[];
  const few = channelsIn < lowering.target.block;
  if (!reorders(channelsOut) || !(few || reorders(channelsIn))) return false;
  const gradientBy = height * width === 1 && !few ? pointwiseGradient : windowGradient;
  const layout = layoutOfGradient(node.outputs[0].shape, lowering.target.block);
  return defineGradient(node, layout, lowering, (dy) => gradientBy(node, dy, layout, lowering));
};

/** Defines a filter gradient, which `make` makes of dy in the given layout. */
function defineGradient(
  node: Node,
  layout: FilterLayout,
  lowering: Lowering,
  make: (dy: Name) => Name,
): boolean {
  const shape = node.attrs.filterShape as number[];
  const { name, factor } = formsOf(lowering).outputGradient(node.inputs.dy, shape);
  const gradient = make(name);
  const scaled = factor ? scaleFilter(gradient, shape, layout, factor, lowering.maker) : gradient;
  lowering.define(node.outputs[0], scaled, layout);
  return true;
}

/**
 * dW[k] = Σ x[o·stride + k - pad]·dy[o] per channel: the depthwise convolution of x with dy as its kernel, dilated by
 * the stride, for every image; then summed over images.
 */
const depthwiseFilterGradient = (node: Node, lowering: Lowering): boolean => {
  const { x } = node.inputs;
  const shape = node.attrs.filterShape as number[];
  const [height, width, channels, multiplier] = shape;
  const geometry = convolutionGeometry(node, x.shape, shape);
  if (multiplier !== 1 || !reorders(channels) || geometry.dilationHeight * geometry.dilationWidth !== 1)
    return false;
  const { batchSize, inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = geometry;
  const { block } = lowering.target;
  const padded = lowering.padded(channels);
  const planes = batchSize * padded;
  const after = (side: number, out: number, stride: number, kernel: number, before: number) =>
    kernel + (out - 1) * stride - side - before;
  const below = after(inHeight, outHeight, strideHeight, height, padInfo.top);
  const right = after(inWidth, outWidth, strideWidth, width, padInfo.left);
  if (below < 0 || right < 0) return false;
  const image = lowering.reshape(lowering.use(x, 'blocked'), [1, planes, inHeight, inWidth]);
  return defineGradient(node, 'nhwc', lowering, (dy) => {
    const kernel = lowering.reshape(dy, [planes, 1, outHeight, outWidth]);
    const perImage = lowering.op(
      'Conv',
      [image, kernel],
      {
        kernel_shape: [outHeight, outWidth],
        dilations: [strideHeight, strideWidth],
        pads: [padInfo.top, padInfo.left, below, right],
        group: planes,
      },
      nchwcDomain,
    );
    const positions = height * width;
    const summed = lowering.reshape(lowering.sumRows(perImage, batchSize, padded * positions), [
      padded / block,
      positions,
      block,
    ]);
    const flat = lowering.reshape(lowering.op('Transpose', [summed], { perm: [1, 0, 2] }), [
      positions,
      padded,
    ]);
    const cropped = padded === channels ? flat : lowering.slice(flat, [1], [0], [channels]);
    return lowering.reshape(cropped, shape);
  });
};

export const blockedFilterGradientRules = {
  Conv2DBackpropFilter: filterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
};
