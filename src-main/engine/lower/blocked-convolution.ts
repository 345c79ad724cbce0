/** Convolutions and their gradients on blocked tensors, with kernels blocked at run time. */
import type { Node, Value } from '../trace/ir.ts';
import { formsOf } from './blocked-forms.ts';
import { allPositions, convertFilter, type FilterLayout, isInBlocks, scaleFilter } from './filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';
import { spreadPixels } from './pixels.ts';
import {
  attributesOf,
  convolutionGeometry,
  type Geometry,
  inputGradientPads,
  interleave,
} from './windows.ts';

/** Channel counts that ONNX Runtime can reorder to blocks and back. */
export const reorders = (channels: number): boolean => channels % 4 === 0;

/** The kernel of a first layer, whose few input channels stay unblocked: [out/b, in, kh, kw, b out]. */
function blockFirstKernel(filter: Value, lowering: Lowering): Name {
  const [height, width, channelsIn, channelsOut] = filter.shape;
  const { block } = lowering.target;
  const split = lowering.reshape(lowering.use(filter), [
    height,
    width,
    channelsIn,
    channelsOut / block,
    block,
  ]);
  const moved = lowering.op('Transpose', [split], { perm: [3, 2, 0, 1, 4] });
  return lowering.reshape(moved, [channelsOut, channelsIn, height, width]);
}

/** A depthwise filter [kh, kw, channels, 1] at some of its positions, rows by columns of them, as [channels/b, rows, columns, b]. */
function blockDepthwiseKernel(
  name: Name,
  [height, width, channels]: readonly number[],
  positions: readonly number[],
  [rows, columns]: readonly number[],
  lowering: Lowering,
): Name {
  const { block } = lowering.target;
  const padded = lowering.padded(channels);
  const flat = lowering.pad(lowering.reshape(name, [height * width, channels]), [
    [0, 0],
    [0, padded - channels],
  ]);
  const picked = lowering.graph.pickRows(flat, height * width, positions);
  const split = [positions.length, padded / block, block];
  const moved = lowering.permute(lowering.reshape(picked, split), split, [1, 0, 2]);
  return lowering.reshape(moved, [padded, 1, rows, columns]);
}

/** A filter as a convolution takes it. */
function forwardFilter(filter: Value, lowering: Lowering): Name {
  const [height, width, ...channels] = filter.shape;
  const [channelsIn, channelsOut] = channels.map((count) => lowering.padded(count));
  return lowering.reshape(lowering.use(filter, 'filter'), [channelsOut, channelsIn, height, width]);
}

/**
 * The part of a filter at some of its positions (row by row, counted from the top left), in their order, as blocks for the
 * input gradient; times a factor for every output channel where given.
 */
function turnedFilter(
  filter: Value,
  positions: readonly number[],
  factor: Name | undefined,
  lowering: Lowering,
): Name {
  const made = lowering.layoutOf(filter);
  const layout: FilterLayout = isInBlocks(made) ? made : 'nhwc';
  const name = lowering.use(filter, layout);
  const scaled = factor ? scaleFilter(name, filter.shape, layout, factor, lowering.maker) : name;
  return convertFilter(scaled, filter.shape, layout, 'turned', lowering.maker, positions);
}

const conv2d = (node: Node, lowering: Lowering): boolean => {
  const { x, filter } = node.inputs;
  const [channelsIn, channelsOut] = filter.shape.slice(2);
  const { block } = lowering.target;
  const attributes = attributesOf(convolutionGeometry(node, x.shape, filter.shape));
  let inputs: Name[];
  if (channelsIn < block && channelsOut % block === 0)
    inputs = [lowering.use(x, 'nchw'), blockFirstKernel(filter, lowering)];
  else if (reorders(channelsIn) && reorders(channelsOut))
    inputs = [lowering.use(x, 'blocked'), forwardFilter(filter, lowering)];
  else return false;
  formsOf(lowering).define(node.outputs[0], { kind: 'convolved', inputs: () => inputs, attributes });
  return true;
};

const depthwiseConv2d = (node: Node, lowering: Lowering): boolean => {
  const { x, filter } = node.inputs;
  const [height, width, channels, multiplier] = filter.shape;
  if (multiplier !== 1 || !reorders(channels)) return false;
  const attributes = attributesOf(convolutionGeometry(node, x.shape, filter.shape));
  const kernel = blockDepthwiseKernel(
    lowering.use(filter),
    filter.shape,
    allPositions(filter.shape),
    [height, width],
    lowering,
  );
  const inputs = [lowering.use(x, 'blocked'), kernel];
  formsOf(lowering).define(node.outputs[0], {
    kind: 'convolved',
    inputs: () => inputs,
    attributes: { ...attributes, group: lowering.padded(channels) },
  });
  return true;
};

const isDilated = ({ dilationHeight, dilationWidth }: Geometry): boolean =>
  dilationHeight * dilationWidth > 1;

/** Along one axis: the input pixels of one phase of the stride, as a convolution of dy with a part of the kernel. */
interface Phase {
  /** First kernel position of the phase; the others follow at steps of the stride. */
  first: number;
  taps: number;
  before: number;
  after: number;
}

/**
 * The input gradient along one axis, by phase of the stride. Input pixel i gets dy[o]·w[k] where i + pad = o·stride + k.
 * With i = q·stride + phase - pad and k = phase + t·stride that is Σ_t dy[q - t]·w[phase + t·stride]: a convolution of
 * stride 1 with the flipped part of the kernel. Undefined where the phases have unequal lengths or need cropping.
 */
function phasesOf(
  side: number,
  out: number,
  stride: number,
  kernel: number,
  pad: number,
): Phase[] | undefined {
  if (side % stride !== 0) return undefined;
  const phases: Phase[] = [];
  for (let offset = 0; offset < stride; offset++) {
    const phase = (offset + pad) % stride;
    const taps = Math.max(0, Math.ceil((kernel - phase) / stride));
    const start = (offset + pad - phase) / stride;
    const before = taps - 1 - start;
    const after = side / stride + taps - 1 - out - before;
    if (taps > 0 && (before < 0 || after < 0)) return undefined;
    phases.push({ first: phase, taps, before, after });
  }
  return phases;
}

/** Along one axis, the kernel's positions of one phase in reverse order. */
const flipped = ({ first, taps }: Phase, stride: number): number[] =>
  Array.from({ length: taps }, (_, tap) => first + (taps - 1 - tap) * stride);

/** dy under the parts of the kernel that belong to every phase of the stride, interleaved. */
const conv2dInputGradient = (node: Node, lowering: Lowering): boolean => {
  const { dy, filter } = node.inputs;
  const [channelsIn, channelsOut] = filter.shape.slice(2);
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo, batchSize } = geometry;
  if (!reorders(channelsIn) || !reorders(channelsOut) || isDilated(geometry)) return false;
  const rows = phasesOf(inHeight, outHeight, strideHeight, geometry.filterHeight, padInfo.top);
  const columns = phasesOf(inWidth, outWidth, strideWidth, geometry.filterWidth, padInfo.left);
  if (!rows || !columns) return false;
  const [output] = node.outputs;

  const { name, factor } = formsOf(lowering).outputGradient(dy, filter.shape);
  const phase = (row: Phase, column: Phase): Name | undefined => {
    if (row.taps * column.taps === 0) return undefined;
    const positions = flipped(row, strideHeight).flatMap((y) =>
      flipped(column, strideWidth).map((x) => y * geometry.filterWidth + x),
    );
    const taps = [row.taps, column.taps];
    const pads = [row.before, column.before, row.after, column.after];
    const part = turnedFilter(filter, positions, factor, lowering);
    const kernel = lowering.reshape(part, [
      lowering.padded(channelsIn),
      lowering.padded(channelsOut),
      ...taps,
    ]);
    return lowering.op('Conv', [name, kernel], { kernel_shape: taps, pads }, nchwcDomain);
  };
  const phases = rows.map((row) => columns.map((column) => phase(row, column)));
  const [first, ...others] = phases.flat();
  const whole = lowering.shapeIn(output, 'blocked');
  const [height, width] = [inHeight / strideHeight, inWidth / strideWidth];
  if (first && !others.some(Boolean)) {
    const [batch, channels] = whole;
    const size = [batch, channels, height, width];
    lowering.define(output, spreadPixels(first, size, [strideHeight, strideWidth], lowering), 'blocked');
    return true;
  }
  const { block } = lowering.target;
  const planes = (batchSize * lowering.padded(channelsIn)) / block;
  const image = interleave(phases, [planes, height, width, block], lowering);
  lowering.define(output, lowering.reshape(image, whole), 'blocked');
  return true;
};

/** Input pixel i gets dy[o]·w[k] where i + pad = o·stride + k: dy, its pixels a stride apart, under the flipped kernel. */
const depthwiseInputGradient = (node: Node, lowering: Lowering): boolean => {
  const { dy, filter } = node.inputs;
  const [, , channels, multiplier] = filter.shape;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  if (multiplier !== 1 || !reorders(channels) || isDilated(geometry)) return false;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = geometry;
  const pads = inputGradientPads(geometry);
  if (pads.some((pad) => pad < 0)) return false;
  const { name, factor } = formsOf(lowering).outputGradient(dy, filter.shape);
  const whole = lowering.use(filter);
  const scaled = factor ? scaleFilter(whole, filter.shape, 'nhwc', factor, lowering.maker) : whole;
  const taps = [filterHeight, filterWidth];
  const turned = allPositions(filter.shape).reverse();
  const kernel = blockDepthwiseKernel(scaled, filter.shape, turned, taps, lowering);
  const spread = spreadPixels(name, lowering.shapeIn(dy, 'blocked'), [strideHeight, strideWidth], lowering);
  const attributes = { kernel_shape: taps, pads, group: lowering.padded(channels) };
  const image = lowering.op('Conv', [spread, kernel], attributes, nchwcDomain);
  lowering.define(node.outputs[0], image, 'blocked');
  return true;
};

export const blockedConvolutionRules = {
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dInputGradient,
  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
};
