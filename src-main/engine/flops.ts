import type { Arrays, Program } from './engine.ts';
import { type Node, sizeOf, type Value } from './trace/ir.ts';
import { trace } from './trace/trace.ts';

/**
 * Floating-point operations of one run of a program, counted from its trace: two for every multiply-add of
 * convolutions, depthwise convolutions, the gradients of both and matrix products, where padding counts like pixels.
 * Element-wise kernels, reductions and pooling are not counted, as is usual: ResNet-50 at 224² comes to the 4.09 billion
 * multiply-adds that torchvision states.
 */
export function countFlops(program: Program, constants: Arrays = {}): number {
  const { nodes } = trace(program, constants);
  return nodes.reduce((sum, node) => sum + 2 * (multiplyAdds[node.kernel]?.(node) ?? 0), 0);
}

const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);

/** Every value of a convolution's result sums over a window and the channels going in: kernel [kh, kw, in, out]. */
const convolution = (result: Value, kernel: readonly number[]): number =>
  sizeOf(result.shape) * product(kernel.slice(0, 3));

/** The same, where every channel has windows of its own: kernel [kh, kw, channels, multiplier]. */
const depthwise = (result: Value, kernel: readonly number[]): number =>
  sizeOf(result.shape) * product(kernel.slice(0, 2));

/** A convolution's gradients take as many multiply-adds as itself; `dy` has its result's shape. */
const multiplyAdds: Record<string, (node: Node) => number> = {
  Conv2D: ({ inputs, outputs }) => convolution(outputs[0], inputs.filter.shape),
  Conv2DBackpropInput: ({ inputs }) => convolution(inputs.dy, inputs.filter.shape),
  Conv2DBackpropFilter: ({ inputs, outputs }) => convolution(inputs.dy, outputs[0].shape),
  DepthwiseConv2dNative: ({ inputs, outputs }) => depthwise(outputs[0], inputs.filter.shape),
  DepthwiseConv2dNativeBackpropInput: ({ inputs }) => depthwise(inputs.dy, inputs.filter.shape),
  DepthwiseConv2dNativeBackpropFilter: ({ inputs, outputs }) => depthwise(inputs.dy, outputs[0].shape),
  BatchMatMul: ({ inputs, attrs, outputs }) =>
    sizeOf(outputs[0].shape) * inputs.a.shape.at(attrs.transposeA ? -2 : -1)!,
};
