/** Filter gradients on blocked tensors: sums over pixels, done by ONNX Runtime's blocked convolutions. */
import type { Node, Value } from '../trace/ir.ts';
import { reorders } from './blocked-convolution.ts';
import { type Lowering, nchwcDomain } from './lowering.ts';
import type { Name } from './onnx-graph.ts';
import { convolutionGeometry, type Geometry, type Image, imageOf, taps } from './windows.ts';

/** Pixels of a blocked tensor as the kernel of a contraction: one group of [channels/b, pixels, b] per image, or all in one. */
interface Pixels {
  name: Name;
  groups: number;
  /** Pixels of one group. */
  area: number;
  channels: number;
}

/**
 * Σ over pixels p of a[p, i]·b[p, j], as a blocked tensor [a's channels/b, b's channels, b]: a 1×1 convolution whose
 * channels are the pixels, whose kernel is `a` and whose picture is `b`.
 */
function contract(a: Pixels, b: Contracted, lowering: Lowering): Name {
  const { graph } = lowering;
  const { block } = lowering.target;
  const planes = lowering.padded(a.channels);
  const pixels = lowering.padded(a.area);
  const filled = lowering.pad(lowering.reshape(a.name, [(a.groups * planes) / block, a.area, block]), [
    [0, 0],
    [0, pixels - a.area],
    [0, 0],
  ]);
  const kernel = lowering.reshape(filled, [a.groups * planes, pixels, 1, 1]);
  const products = lowering.op(
    'Conv',
    [b.name, kernel],
    { kernel_shape: [1, 1], group: a.groups },
    nchwcDomain,
  );
  if (a.groups === 1) return products;
  const split = lowering.reshape(products, [a.groups, planes * b.channels]);
  return graph.op('ReduceSum', [split, graph.ints([0])], { keepdims: 0 });
}

/**
 * The picture batch for a contraction over `area` pixels each. A blocked tensor is a kernel as it is, one group per
 * image, where an image's pixels fill whole blocks; else the images are strung together: [channels/b, batch, h, w, b].
 */
function kernelImage(value: Value, area: number, lowering: Lowering): { image: Image; groups: number } {
  const image = imageOf(value, 'blocked', lowering);
  const [batch] = value.shape;
  if (area % image.inner === 0 || batch === 1) return { image, groups: batch };
  const planes = image.outer / batch;
  const shape = [batch, planes, image.height * image.width * image.inner];
  const strung = lowering.permute(lowering.reshape(image.name, shape), shape, [1, 0, 2]);
  const { outer, height, width, inner } = image;
  return { image: { ...image, name: lowering.reshape(strung, [outer, height, width, inner]) }, groups: 1 };
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

/** For each kernel position, the pixels of x that it multiplies. */
function tapsOf(x: Value, geometry: Geometry, lowering: Lowering): Pixels[] {
  const outArea = geometry.outHeight * geometry.outWidth;
  const { image, groups } = kernelImage(x, outArea, lowering);
  const area = (outArea * x.shape[0]) / groups;
  return taps(image, geometry, lowering).map((name) => ({ name, groups, area, channels: x.shape[3] }));
}

/** All pixels of `value`. */
function pixelsOf(value: Value, lowering: Lowering): Pixels {
  const [batch, height, width, channels] = value.shape;
  const { image, groups } = kernelImage(value, height * width, lowering);
  return { name: image.name, groups, area: (height * width * batch) / groups, channels };
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
  const moved = lowering.permute(lowering.reshape(padded, split), split, [3, 5, 1, 0, 2, 4]);
  // The reshape keeps ONNX Runtime from moving the transpose behind every slice.
  const phases = lowering.reshape(moved, [strideHeight * strideWidth, channels * batch, rows, columns]);
  const pixels = batch * outHeight * outWidth;
  const positions: Name[] = [];
  for (let row = 0; row < geometry.filterHeight; row++)
    for (let column = 0; column < geometry.filterWidth; column++) {
      const [down, across] = [row * geometry.dilationHeight, column * geometry.dilationWidth];
      const phase = (down % strideHeight) * strideWidth + (across % strideWidth);
      const start = [Math.floor(down / strideHeight), Math.floor(across / strideWidth)];
      const begin = [phase, ...start];
      const end = [phase + 1, start[0] + outHeight, start[1] + outWidth];
      positions.push(lowering.reshape(lowering.slice(phases, [0, 2, 3], begin, end), [channels, pixels]));
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
  const sources = single ? [pixelsOf(x, lowering)] : tapsOf(x, geometry, lowering);
  const positions = sources.map((tap) =>
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
