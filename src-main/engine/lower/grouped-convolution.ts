/** Convolutions of groups of channels, and their gradients, in any layout. */
import type { Node } from '../trace/ir.ts';
import { defineImage, transposed } from './convolution.ts';
import type { Lowering, Rule } from './lowering.ts';
import type { Name } from './onnx-graph.ts';
import { attributesOf, convolutionGeometry, type Geometry, taps, untap } from './windows.ts';

const conv2d: Rule = (node, lowering) => {
  const { x, filter } = node.inputs;
  const geometry = convolutionGeometry(node, x.shape, filter.shape);
  const kernel = lowering.permute(lowering.use(filter), filter.shape, [3, 2, 0, 1]);
  const attributes = { ...attributesOf(geometry), group: node.attrs.groups as number };
  defineImage(node.outputs[0], lowering.op('Conv', [lowering.use(x, 'nchw'), kernel], attributes), lowering);
};

const inputGradient: Rule = (node, lowering) => {
  const { dy, filter } = node.inputs;
  const [output] = node.outputs;
  const groups = node.attrs.groups as number;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  // ONNX Runtime's WebGPU provider (1.30) is not to be trusted with the transposed convolution of groups.
  if (lowering.target.provider === 'gpu')
    return lowering.define(output, byPositions(node, geometry, groups, lowering));
  const kernel = lowering.permute(lowering.use(filter), filter.shape, [3, 2, 0, 1]);
  const image = transposed(lowering.use(dy, 'nchw'), kernel, geometry, groups, lowering);
  defineImage(output, image, lowering);
};

/** The input gradient as one product for every window position and group. */
function byPositions(node: Node, geometry: Geometry, groups: number, lowering: Lowering): Name {
  const { dy, filter } = node.inputs;
  const [height, width, perGroup, channelsOut] = filter.shape;
  const { batchSize, outHeight, outWidth } = geometry;
  const gradient = grouped(lowering.use(dy), dy.shape, groups, lowering);
  const split = [height * width, perGroup, groups, channelsOut / groups];
  // [positions, groups, out, in]
  const kernels = lowering.permute(lowering.reshape(lowering.use(filter), split), split, [0, 2, 3, 1]);
  const pixels = batchSize * outHeight * outWidth;
  const contributions = Array.from({ length: height * width }, (_, position) => {
    const kernel = lowering.reshape(lowering.slice(kernels, [0], [position], [position + 1]), [
      groups,
      channelsOut / groups,
      perGroup,
    ]);
    const product = lowering.op('MatMul', [gradient, kernel]);
    const rows = lowering.permute(product, [groups, pixels, perGroup], [1, 0, 2]);
    return lowering.reshape(rows, [batchSize, outHeight, outWidth, groups * perGroup]);
  });
  return untap(contributions, geometry, lowering);
}

/** An image as one matrix of pixels by channels for every group. */
function grouped(name: Name, shape: readonly number[], groups: number, lowering: Lowering): Name {
  const channels = shape[3];
  const pixels = shape[0] * shape[1] * shape[2];
  const split = [pixels, groups, channels / groups];
  return lowering.permute(lowering.reshape(name, split), split, [1, 0, 2]);
}

/** dW[kh, kw] = X[shifted by kh, kw]ᵀ · dY for every group, with pixels of the whole batch as rows. */
const filterGradient: Rule = (node, lowering) => {
  const { x, dy } = node.inputs;
  const shape = node.attrs.filterShape as number[];
  const groups = node.attrs.groups as number;
  const [height, width, perGroup, channelsOut] = shape;
  const geometry = convolutionGeometry(node, x.shape, shape);
  const gradient = grouped(lowering.use(dy), dy.shape, groups, lowering);
  const pixels = geometry.batchSize * geometry.outHeight * geometry.outWidth;
  const products = taps(x, geometry, lowering).map((source) => {
    const split = [pixels, groups, perGroup];
    const columns = lowering.permute(lowering.reshape(source, split), split, [1, 2, 0]);
    const product = lowering.op('MatMul', [columns, gradient]);
    return lowering.reshape(product, [1, groups, perGroup, channelsOut / groups]);
  });
  const stacked = products.length === 1 ? products[0] : lowering.op('Concat', products, { axis: 0 });
  const moved = lowering.permute(
    stacked,
    [height * width, groups, perGroup, channelsOut / groups],
    [0, 2, 1, 3],
  );
  lowering.define(node.outputs[0], lowering.reshape(moved, shape));
};

export const groupedConvolutionRules: Record<string, Rule> = {
  GroupedConv2D: conv2d,
  GroupedConv2DBackpropInput: inputGradient,
  GroupedConv2DBackpropFilter: filterGradient,
};
