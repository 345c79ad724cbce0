/** Convolutions and their gradients on blocked tensors, with kernels blocked at run time. */
import type { Node, Value } from '../trace/ir.ts';
import { formsOf } from './blocked-forms.ts';
import { type Lowering, nchwcDomain } from './lowering.ts';
import type { Name } from './onnx-graph.ts';
import { attributesOf, convolutionGeometry, type Geometry, interleave } from './windows.ts';

/** Channel counts that ONNX Runtime can reorder to blocks and back. */
export const reorders = (channels: number): boolean => channels % 4 === 0;

/**
 * tf.js's kernel [kh, kw, in, out], its two channel axes padded to whole blocks, as [out/b, in/b, kh, kw, b in, b out];
 * with `swapped`, the kernel of the input gradient, where `in` and `out` change roles. Splitting a channel axis into
 * blocks is what ReorderInput does, faster than Transpose; what is left moves whole b × b blocks.
 */
function blockKernel(
  name: Name,
  [height, width, channelsIn, channelsOut]: number[],
  swapped: boolean,
  lowering: Lowering,
) {
  const { block } = lowering.target;
  const [paddedIn, paddedOut] = [lowering.padded(channelsIn), lowering.padded(channelsOut)];
  const positions = height * width;
  const inner = swapped ? [0, 0, paddedOut - channelsOut] : [0, paddedIn - channelsIn, 0];
  const padded = lowering.pad(
    lowering.reshape(name, [positions, channelsIn, channelsOut]),
    inner.map((after) => [0, after] as const),
  );
  const picture = swapped ? [positions, channelsIn, paddedOut, 1] : [1, positions * paddedIn, 1, channelsOut];
  const attributes = { channels_last: Number(!swapped) };
  const split = lowering.op('ReorderInput', [lowering.reshape(padded, picture)], attributes, nchwcDomain);
  const [blocksIn, blocksOut] = [paddedIn / block, paddedOut / block];
  const shape = swapped
    ? [positions, blocksIn, blocksOut, block * block]
    : [blocksOut, positions, blocksIn, block * block];
  const moved = lowering.permute(
    lowering.reshape(split, shape),
    shape,
    swapped ? [1, 2, 0, 3] : [0, 2, 1, 3],
  );
  const [to, from] = swapped ? [paddedIn, paddedOut] : [paddedOut, paddedIn];
  return lowering.reshape(moved, [to, from, height, width]);
}

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

/** A depthwise kernel [kh, kw, channels] as [channels/b, kh, kw, b]. */
function blockDepthwiseKernel(name: Name, [height, width, channels]: number[], lowering: Lowering): Name {
  const { block } = lowering.target;
  const padded = lowering.padded(channels);
  const flat = lowering.pad(lowering.reshape(name, [height * width, channels]), [
    [0, 0],
    [0, padded - channels],
  ]);
  const split = lowering.reshape(flat, [height * width, padded / block, block]);
  return lowering.reshape(lowering.permute(split, [height * width, padded / block, block], [1, 0, 2]), [
    padded,
    1,
    height,
    width,
  ]);
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
    inputs = [
      lowering.use(x, 'blocked'),
      blockKernel(lowering.use(filter), [...filter.shape], false, lowering),
    ];
  else return false;
  lowering.define(node.outputs[0], lowering.op('Conv', inputs, attributes, nchwcDomain), 'blocked');
  return true;
};

const depthwiseConv2d = (node: Node, lowering: Lowering): boolean => {
  const { x, filter } = node.inputs;
  const [height, width, channels, multiplier] = filter.shape;
  if (multiplier !== 1 || !reorders(channels)) return false;
  const attributes = attributesOf(convolutionGeometry(node, x.shape, filter.shape));
  const kernel = blockDepthwiseKernel(lowering.use(filter), [height, width, channels], lowering);
  const inputs = [lowering.use(x, 'blocked'), kernel];
  const name = lowering.op('Conv', inputs, { ...attributes, group: lowering.padded(channels) }, nchwcDomain);
  lowering.define(node.outputs[0], name, 'blocked');
  return true;
};

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

/** What of a convolution's input gradient the two kinds of convolution do differently: `part` of the kernel over dy. */
type PhaseConvolution = (dy: Name, part: Name, taps: [number, number], pads: number[]) => Name;

function inputGradient(
  node: Node,
  lowering: Lowering,
  geometry: Geometry,
  convolve: PhaseConvolution,
): boolean {
  const { dy, filter } = node.inputs;
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo, batchSize } = geometry;
  if (geometry.dilationHeight !== 1 || geometry.dilationWidth !== 1) return false;
  const rows = phasesOf(inHeight, outHeight, strideHeight, geometry.filterHeight, padInfo.top);
  const columns = phasesOf(inWidth, outWidth, strideWidth, geometry.filterWidth, padInfo.left);
  if (!rows || !columns) return false;
  const { block } = lowering.target;
  const planes = (batchSize * lowering.padded(geometry.inChannels)) / block;
  const [height, width] = [inHeight / strideHeight, inWidth / strideWidth];

  const { name, factor } = formsOf(lowering).outputGradient(dy, filter.shape);
  const kernel = factor
    ? scaledFilter(lowering.use(filter), filter.shape, factor, lowering)
    : lowering.use(filter);

  const phase = (row: Phase, column: Phase): Name => {
    if (row.taps * column.taps === 0)
      return lowering.graph.filled([planes, height, width, block], 0, 'float32');
    const part = flippedPart(kernel, row, column, strideHeight, strideWidth, filter, lowering);
    return convolve(
      name,
      part,
      [row.taps, column.taps],
      [row.before, column.before, row.after, column.after],
    );
  };
  if (rows.length * columns.length === 1) {
    lowering.define(node.outputs[0], phase(rows[0], columns[0]), 'blocked');
    return true;
  }
  const phases = rows.map((row) => columns.map((column) => phase(row, column)));
  const image = interleave(phases, [planes, height, width, block], lowering);
  const shape = lowering.shapeIn(node.outputs[0], 'blocked');
  lowering.define(node.outputs[0], lowering.reshape(image, shape), 'blocked');
  return true;
}

/** A filter, or its gradient, times a factor for every output channel. */
export function scaledFilter(
  filter: Name,
  [, , , channels]: readonly number[],
  factor: Name,
  lowering: Lowering,
): Name {
  // A depthwise filter's output channels are its last axis but one.
  return lowering.op('Mul', [filter, channels === 1 ? lowering.reshape(factor, [-1, 1]) : factor]);
}

/** The kernel's positions of one phase in reverse order. */
function flippedPart(
  kernel: Name,
  row: Phase,
  column: Phase,
  strideHeight: number,
  strideWidth: number,
  filter: Value,
  lowering: Lowering,
): Name {
  if (filter.shape[0] === 1 && filter.shape[1] === 1) return kernel;
  const last = [row.first + (row.taps - 1) * strideHeight, column.first + (column.taps - 1) * strideWidth];
  // An exclusive end before the first element is written as below minus the extent.
  const end = [row.first - 1, column.first - 1].map((stop, axis) =>
    stop < 0 ? -filter.shape[axis] - 1 : stop,
  );
  return lowering.slice(kernel, [0, 1], last, end, [-strideHeight, -strideWidth]);
}

const conv2dInputGradient = (node: Node, lowering: Lowering): boolean => {
  const { filter } = node.inputs;
  const [channelsIn, channelsOut] = filter.shape.slice(2);
  if (!reorders(channelsIn) || !reorders(channelsOut)) return false;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  return inputGradient(node, lowering, geometry, (dy, part, taps, pads) => {
    const kernel = blockKernel(part, [...taps, channelsIn, channelsOut], true, lowering);
    return lowering.op('Conv', [dy, kernel], { kernel_shape: taps, pads }, nchwcDomain);
  });
};

const depthwiseInputGradient = (node: Node, lowering: Lowering): boolean => {
  const { filter } = node.inputs;
  const [, , channels, multiplier] = filter.shape;
  if (multiplier !== 1 || !reorders(channels)) return false;
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  return inputGradient(node, lowering, geometry, (dy, part, taps, pads) => {
    const kernel = blockDepthwiseKernel(part, [...taps, channels], lowering);
    const attributes = { kernel_shape: taps, pads, group: lowering.padded(channels) };
    return lowering.op('Conv', [dy, kernel], attributes, nchwcDomain);
  });
};

export const blockedConvolutionRules = {
  Conv2D: conv2d,
  Conv2DBackpropInput: conv2dInputGradient,
  DepthwiseConv2dNative: depthwiseConv2d,
  DepthwiseConv2dNativeBackpropInput: depthwiseInputGradient,
};
