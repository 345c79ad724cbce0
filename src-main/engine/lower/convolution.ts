import type { Value } from '../trace/ir.ts';
import type { Lowering, Rule } from './lowering.ts';
import type { Name } from './onnx-graph.ts';
import { attributesOf, convolutionGeometry, type Geometry, taps, untap } from './windows.ts';

/** Whether the convolution reads every input pixel exactly once, so that it is a plain matrix product. */
const isPointwise = ({ filterHeight, filterWidth, strideHeight, strideWidth, padInfo }: Geometry): boolean =>
  filterHeight * filterWidth * strideHeight * strideWidth === 1 &&
  padInfo.top + padInfo.bottom + padInfo.left + padInfo.right === 0;

/** A 1×1 kernel as the matrix [in, out]. */
const kernelMatrix = (filter: Value, lowering: Lowering): Name =>
  lowering.reshape(lowering.use(filter), [filter.shape[2], filter.shape[3]]);

const conv2d: Rule = (node, lowering) => {
  const { x, filter } = node.inputs;
  const [output] = node.outputs;
  const geometry = convolutionGeometry(node, x.shape, filter.shape);
  if (lowering.target.layout === 'nhwc' && isPointwise(geometry)) {
    const product = lowering.product(lowering.rows(x), kernelMatrix(filter, lowering));
    return lowering.define(output, lowering.reshape(product, output.shape));
  }
  const kernel = lowering.permute(lowering.use(filter), filter.shape, [3, 2, 0, 1]);
  defineImage(
    output,
    lowering.op('Conv', [lowering.use(x, 'nchw'), kernel], attributesOf(geometry)),
    lowering,
  );
};

const depthwiseConv2d: Rule = (node, lowering) => {
  const { x, filter } = node.inputs;
  const geometry = convolutionGeometry(node, x.shape, filter.shape);
  const attributes = { ...attributesOf(geometry), group: geometry.inChannels };
  const kernel = depthwiseKernel(filter, lowering);
  defineImage(node.outputs[0], lowering.op('Conv', [lowering.use(x, 'nchw'), kernel], attributes), lowering);
};

/** tf.js's [kh, kw, channels, multiplier] as ONNX's [channels·multiplier, 1, kh, kw]. */
function depthwiseKernel(filter: Value, lowering: Lowering): Name {
  const [height, width, channels, multiplier] = filter.shape;
  const moved = lowering.permute(lowering.use(filter), filter.shape, [2, 3, 0, 1]);
  return lowering.reshape(moved, [channels * multiplier, 1, height, width]);
}

/** Defines a convolution's NCHW result in the layout that the target keeps images in. */
export function defineImage(output: Value, nchw: Name, lowering: Lowering): void {
  if (lowering.target.layout === 'nhwc')
    lowering.define(output, lowering.permute(nchw, lowering.shapeIn(output, 'nchw'), [0, 2, 3, 1]), 'nhwc');
  lowering.define(output, nchw, 'nchw');
}

const inputGradient: Rule = (node, lowering) => {
  const { dy, filter } = node.inputs;
  const [output] = node.outputs;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  if (lowering.target.layout === 'nhwc' && isPointwise(geometry)) {
    const product = lowering.product(lowering.rows(dy), kernelMatrix(filter, lowering), false, true);
    return lowering.define(output, lowering.reshape(product, output.shape));
  }
  const kernel = lowering.permute(lowering.use(filter), filter.shape, [3, 2, 0, 1]);
  defineImage(output, transposed(lowering.use(dy, 'nchw'), kernel, geometry, 1, lowering), lowering);
};

const depthwiseInputGradient: Rule = (node, lowering) => {
  const { dy, filter } = node.inputs;
  const [output] = node.outputs;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  if (filter.shape[3] > 1)
    return lowering.define(output, multipliedInputGradient(dy, filter, geometry, lowering));
  const kernel = depthwiseKernel(filter, lowering);
  defineImage(
    output,
    transposed(lowering.use(dy, 'nchw'), kernel, geometry, geometry.inChannels, lowering),
    lowering,
  );
};

/**
 * With several outputs per channel the gradient is summed position by position: ONNX Runtime's WebGPU provider (1.30)
 * computes wrong numbers for a ConvTranspose whose groups have more inputs than outputs.
 */
function multipliedInputGradient(dy: Value, filter: Value, geometry: Geometry, lowering: Lowering): Name {
  const { graph } = lowering;
  const [height, width, channels, multiplier] = filter.shape;
  const { batchSize, outHeight, outWidth } = geometry;
  const gradient = lowering.reshape(lowering.use(dy), [batchSize, outHeight, outWidth, channels, multiplier]);
  const kernels = lowering.reshape(lowering.use(filter), [height * width, channels, multiplier]);
  const contributions = Array.from({ length: height * width }, (_, position) => {
    const products = graph.op('Mul', [gradient, lowering.slice(kernels, [0], [position], [position + 1])]);
    return graph.op('ReduceSum', [products, graph.ints([4])], { keepdims: 0 });
  });
  return untap(contributions, geometry, lowering);
}

/** The transposed convolution; what its size formula leaves out of the input is output padding. */
export function transposed(
  dy: Name,
  kernel: Name,
  geometry: Geometry,
  group: number,
  lowering: Lowering,
): Name {
  const { padInfo } = geometry;
  const leftOver = (side: number, out: number, stride: number, kernelSide: number, pads: number) =>
    side - ((out - 1) * stride + kernelSide - pads);
  const outputPadding = [
    leftOver(
      geometry.inHeight,
      geometry.outHeight,
      geometry.strideHeight,
      geometry.effectiveFilterHeight,
      padInfo.top + padInfo.bottom,
    ),
    leftOver(
      geometry.inWidth,
      geometry.outWidth,
      geometry.strideWidth,
      geometry.effectiveFilterWidth,
      padInfo.left + padInfo.right,
    ),
  ];
  return lowering.op('ConvTranspose', [dy, kernel], {
    ...attributesOf(geometry),
    output_padding: outputPadding,
    group,
  });
}

/** dW[kh, kw] = X[shifted by kh, kw]ᵀ · dY, with pixels of the whole batch as rows. */
const filterGradient: Rule = (node, lowering) => {
  const { x, dy } = node.inputs;
  const geometry = convolutionGeometry(node, x.shape, node.attrs.filterShape as number[]);
  const { filterHeight, filterWidth, inChannels, outChannels } = geometry;
  const pixels = geometry.batchSize * geometry.outHeight * geometry.outWidth;
  const gradient = lowering.rows(dy);
  const sources = isPointwise(geometry) ? [lowering.use(x)] : taps(x, geometry, lowering);
  const products = sources.map((source) =>
    lowering.product(lowering.reshape(source, [pixels, inChannels]), gradient, true),
  );
  const stacked = products.length === 1 ? products[0] : lowering.op('Concat', products, { axis: 0 });
  lowering.define(
    node.outputs[0],
    lowering.reshape(stacked, [filterHeight, filterWidth, inChannels, outChannels]),
  );
};

/** dW[kh, kw, c, m] = Σ X[shifted by kh, kw][c] · dY[c, m] over the pixels of the batch. */
const depthwiseFilterGradient: Rule = (node, lowering) => {
  const { graph } = lowering;
  const { x, dy } = node.inputs;
  const shape = node.attrs.filterShape as number[];
  const geometry = convolutionGeometry(node, x.shape, shape);
  const [, , channels, multiplier] = shape;
  const pixels = geometry.batchSize * geometry.outHeight * geometry.outWidth;
  const gradient = lowering.reshape(lowering.use(dy), [pixels, channels, multiplier]);
  const sums = taps(x, geometry, lowering).map((source) => {
    const products = graph.op('Mul', [lowering.reshape(source, [pixels, channels, 1]), gradient]);
    return graph.op('ReduceSum', [products, graph.ints([0])], { keepdims: 1 });
  });
  lowering.define(node.outputs[0], lowering.reshape(graph.op('Concat', sums, { axis: 0 }), shape));
};

export const convolutionRules: Record<string, Rule> = {
  Conv2D: conv2d,
  Conv2DBackpropInput: inputGradient,
  Conv2DBackpropFilter: filterGradient,
  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
};
