/** Filter gradients on blocked tensors: sums over pixels, done by ONNX Runtime's blocked convolutions. */
import type { Node, Value } from '../trace/ir.ts';
import { reorders } from './blocked-convolution.ts';
import { type Lowering, nchwcDomain } from './lowering.ts';
import type { Name } from './onnx-graph.ts';
import { convolutionGeometry, type Geometry } from './windows.ts';

/** One blocked picture batch [batch, channels/b, pixels of one image, b] and its true channel count. */
interface Pixels {
  name: Name;
  batch: number;
  /** Pixels of one image. */
  area: number;
  channels: number;
}

/**
 * Σ over pixels p of a[p, i]·b[p, j], as a blocked tensor [a's channels/b, b's channels, b]: a 1×1 convolution whose
 * channels are the pixels, whose kernel is `a` and whose picture is `b`. A blocked `a` is such a kernel already, one
 * group per image, where the pixels of an image fill whole blocks; else its images are strung together first.
 */
function contract(a: Pixels, b: Contracted, lowering: Lowering): Name {
  const { graph } = lowering;
  const { block } = lowering.target;
  const { batch, area } = a;
  const planes = lowering.padded(a.channels);
  if (area % block === 0) {
    const kernel = lowering.reshape(a.name, [batch * planes, area, 1, 1]);
    const attributes = { kernel_shape: [1, 1], group: batch };
    const perImage = lowering.op('Conv', [b.name, kernel], attributes, nchwcDomain);
    const split = lowering.reshape(perImage, [batch, planes * b.channels]);
    return graph.op('ReduceSum', [split, graph.ints([0])], { keepdims: 0 });
  }
  const images = lowering.reshape(a.name, [batch, planes / block, area * block]);
  const strung = lowering.reshape(
    lowering.permute(images, [batch, planes / block, area * block], [1, 0, 2]),
    [planes / block, batch * area, block],
  );
  const pixels = lowering.padded(batch * area);
  const filled = lowering.pad(strung, [
    [0, 0],
    [0, pixels - batch * area],
    [0, 0],
  ]);
  const kernel = lowering.reshape(filled, [planes, pixels, 1, 1]);
  return lowering.op('Conv', [b.name, kernel], { kernel_shape: [1, 1] }, nchwcDomain);
}

/** A picture whose channels are pixels and whose pixels are channels: [1, pixels, channels, 1], blocked. */
interface Contracted {
  name: Name;
  channels: number;
}

function turn(value: Value, lowering: Lowering): Contracted {
  const [batch, height, width, channels] = value.shape;
  const pixels = batch * height * width;
  const rows = lowering.pad(lowering.reshape(lowering.use(value, 'nhwc'), [pixels, channels]), [
    [0, lowering.padded(pixels) - pixels],
    [0, 0],
  ]);
  const picture = lowering.reshape(rows, [1, lowering.padded(pixels), channels, 1]);
  return { name: lowering.op('ReorderInput', [picture], {}, nchwcDomain), channels };
}

const pixelsOf = (value: Value, lowering: Lowering): Pixels => ({
  name: lowering.use(value, 'blocked'),
  batch: value.shape[0],
  area: value.shape[1] * value.shape[2],
  channels: value.shape[3],
});

/** For each kernel position, the pixels of x that it multiplies. */
function tapsOf(x: Value, geometry: Geometry, lowering: Lowering): Pixels[] {
  const { padInfo, outHeight, outWidth, strideHeight, strideWidth } = geometry;
  const { block } = lowering.target;
  const [batch, height, width, channels] = x.shape;
  const planes = (batch * lowering.padded(channels)) / block;
  const padded = lowering.pad(lowering.reshape(lowering.use(x, 'blocked'), [planes, height, width, block]), [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
  const taps: Pixels[] = [];
  for (let row = 0; row < geometry.filterHeight; row++)
    for (let column = 0; column < geometry.filterWidth; column++) {
      const start = [row * geometry.dilationHeight, column * geometry.dilationWidth];
      const end = [
        start[0] + (outHeight - 1) * strideHeight + 1,
        start[1] + (outWidth - 1) * strideWidth + 1,
      ];
      const name = lowering.slice(padded, [1, 2], start, end, [strideHeight, strideWidth]);
      taps.push({ name, batch, area: outHeight * outWidth, channels });
    }
  return taps;
}

/** Defines a filter gradient by its contraction with dy as the kernel; `sources` are its rows (position, in). */
function byOutputBlocks(node: Node, sources: Contracted, lowering: Lowering): boolean {
  const { dy } = node.inputs;
  const channels = dy.shape[3];
  const products = contract(pixelsOf(dy, lowering), sources, lowering);
  const blocked = lowering.reshape(products, [1, lowering.padded(channels), sources.channels, 1]);
  const gradient = lowering.op('ReorderOutput', [blocked], { channels, channels_last: 1 }, nchwcDomain);
  lowering.define(node.outputs[0], lowering.reshape(gradient, node.attrs.filterShape as number[]));
  return true;
}

/**
 * The gradient of a first layer's filter: its few input channels are no block, so that its windows are taken from
 * planes, first split into the phases of the stride so that each window position is a plain rectangle.
 */
function firstFilterGradient(node: Node, geometry: Geometry, lowering: Lowering): boolean {
  const { x } = node.inputs;
  const [batch, height, width, channels] = x.shape;
  const {
    padInfo,
    outHeight,
    outWidth,
    strideHeight,
    strideWidth,
    effectiveFilterHeight,
    effectiveFilterWidth,
  } = geometry;
  const rows = outHeight + Math.ceil(effectiveFilterHeight / strideHeight) - 1;
  const columns = outWidth + Math.ceil(effectiveFilterWidth / strideWidth) - 1;
  const [below, right] = [
    rows * strideHeight - height - padInfo.top,
    columns * strideWidth - width - padInfo.left,
  ];
  if (below < 0 || right < 0) return false;
  const padded = lowering.pad(lowering.use(x, 'nchw'), [
    [0, 0],
    [0, 0],
    [padInfo.top, below],
    [padInfo.left, right],
  ]);
  const split = [batch, channels, rows, strideHeight, columns, strideWidth];
  const phases = lowering.permute(lowering.reshape(padded, split), split, [3, 5, 1, 0, 2, 4]);
  const pixels = batch * outHeight * outWidth;
  const positions: Name[] = [];
  for (let row = 0; row < geometry.filterHeight; row++)
    for (let column = 0; column < geometry.filterWidth; column++) {
      const [down, across] = [row * geometry.dilationHeight, column * geometry.dilationWidth];
      const phase = [down % strideHeight, across % strideWidth];
      const start = [Math.floor(down / strideHeight), Math.floor(across / strideWidth)];
      const begin = [...phase, ...start];
      const end = [phase[0] + 1, phase[1] + 1, start[0] + outHeight, start[1] + outWidth];
      positions.push(lowering.reshape(lowering.slice(phases, [0, 1, 4, 5], begin, end), [channels, pixels]));
    }
  const count = positions.length * channels;
  const stacked = positions.length === 1 ? positions[0] : lowering.op('Concat', positions, { axis: 0 });
  const filled = lowering.pad(stacked, [
    [0, 0],
    [0, lowering.padded(pixels) - pixels],
  ]);
  const picture = lowering.reshape(filled, [1, count, 1, lowering.padded(pixels)]);
  const turned = lowering.op('ReorderInput', [picture], { channels_last: 1 }, nchwcDomain);
  return byOutputBlocks(node, { name: turned, channels: count }, lowering);
}

const filterGradient = (node: Node, lowering: Lowering): boolean => {
  const { x, dy } = node.inputs;
  const shape = node.attrs.filterShape as number[];
  const [height, width, channelsIn, channelsOut] = shape;
  if (!reorders(channelsOut)) return false;
  const geometry = convolutionGeometry(node, x.shape, shape);
  if (channelsIn < lowering.target.block) return firstFilterGradient(node, geometry, lowering);
  if (!reorders(channelsIn)) return false;
  const single = height * width * geometry.strideHeight * geometry.strideWidth === 1;
  // Turning pixels into channels costs more than using a blocked tensor as a kernel: the smaller one is turned.
  if (single && channelsIn < channelsOut) return byOutputBlocks(node, turn(x, lowering), lowering);
  const turned = turn(dy, lowering);
  const taps = single ? [pixelsOf(x, lowering)] : tapsOf(x, geometry, lowering);
  const positions = taps.map((tap) =>
    lowering.reshape(contract(tap, turned, lowering), [1, lowering.padded(channelsIn), channelsOut, 1]),
  );
  const stacked = positions.length === 1 ? positions[0] : lowering.op('Concat', positions, { axis: 0 });
  const gradient = lowering.op(
    'ReorderOutput',
    [stacked],
    { channels: channelsIn, channels_last: 0 },
    nchwcDomain,
  );
  lowering.define(node.outputs[0], lowering.reshape(gradient, shape));
  return true;
};

/**
 * dW[k] = Σ x[o·stride + k - pad]·dy[o] per channel: the depthwise convolution of x with dy as its kernel, dilated by
 * the stride, for every image; then summed over images.
 */
const depthwiseFilterGradient = (node: Node, lowering: Lowering): boolean => {
  const { x, dy } = node.inputs;
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
  const kernel = lowering.reshape(lowering.use(dy, 'blocked'), [planes, 1, outHeight, outWidth]);
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
  const { graph } = lowering;
  const positions = height * width;
  const split = lowering.reshape(perImage, [batchSize, (padded / block) * positions * block]);
  const summed = lowering.reshape(graph.op('ReduceSum', [split, graph.ints([0])], { keepdims: 0 }), [
    padded / block,
    positions,
    block,
  ]);
  const flat = lowering.reshape(lowering.op('Transpose', [summed], { perm: [1, 0, 2] }), [positions, padded]);
  const cropped = padded === channels ? flat : lowering.slice(flat, [1], [0], [channels]);
  lowering.define(node.outputs[0], lowering.reshape(cropped, shape));
  return true;
};

export const blockedFilterGradientRules = {
  Conv2DBackpropFilter: filterGradient,
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
};
