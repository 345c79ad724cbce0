import { type Node, sizeOf, type Value } from './ir.ts';

/**
 * Multiply-adds of a convolution, a depthwise convolution, a gradient of either, a matrix product or attention, where padding counts
 * like pixels; 0 for every other kernel.
 */
export const multiplyAddsOf = (node: Node): number => multiplyAdds[node.kernel]?.(node) ?? 0;

/** Every value of a convolution's result sums over a window and the channels going in: kernel [kh, kw, in, out]. */
const convolution = (result: Value, kernel: readonly number[]): number =>
  sizeOf(result.shape) * sizeOf(kernel.slice(0, 3));

/** The same, where every channel has windows of its own: kernel [kh, kw, channels, multiplier]. */
const depthwise = (result: Value, kernel: readonly number[]): number =>
  sizeOf(result.shape) * sizeOf(kernel.slice(0, 2));

/** Attention's two products for every head, of count × count weights. */
const attention = (result: Value): number => 2 * sizeOf(result.shape) * result.shape[1];

/** A convolution's gradients take as many multiply-adds as itself; `dy` has its result's shape. */
const multiplyAdds: Record<string, (node: Node) => number> = {
  GroupedConv2D: ({ inputs, outputs }) => convolution(outputs[0], inputs.filter.shape),
  GroupedConv2DBackpropInput: ({ inputs }) => convolution(inputs.dy, inputs.filter.shape),
  GroupedConv2DBackpropFilter: ({ inputs, outputs }) => convolution(inputs.dy, outputs[0].shape),
  Conv2D: ({ inputs, outputs }) => convolution(outputs[0], inputs.filter.shape),
  Conv2DBackpropInput: ({ inputs }) => convolution(inputs.dy, inputs.filter.shape),
  Conv2DBackpropFilter: ({ inputs, outputs }) => convolution(inputs.dy, outputs[0].shape),
  DepthwiseConv2dNative: ({ inputs, outputs }) => depthwise(outputs[0], inputs.filter.shape),
  DepthwiseConv2dNativeBackpropInput: ({ inputs }) => depthwise(inputs.dy, inputs.filter.shape),
  DepthwiseConv2dNativeBackpropFilter: ({ inputs, outputs }) => depthwise(inputs.dy, outputs[0].shape),
  Attention: ({ outputs }) => attention(outputs[0]),
  AttentionGrad: ({ inputs }) => 2 * attention(inputs.dy),
  BatchMatMul: ({ inputs, attrs, outputs }) =>
    sizeOf(outputs[0].shape) * inputs.a.shape.at(attrs.transposeA ? -2 : -1)!,
};
