/** The filter gradient of a convolution by a 1×1 kernel, on blocked tensors. */
import type { Node, Value } from '../trace/ir.ts';
import { type FilterLayout, isTurnedGradient } from './filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';
import { pickPixels } from './pixels.ts';
import { convolutionGeometry, type Geometry } from './windows.ts';

/** Equally many pixels of each image, blocked: [images, channels/b, area, b]. */
interface Pixels {
  name: Name;
  images: number;
  area: number;
  channels: number;
}

/**
 * dW[i, o] = Σ over pixels of x[p, i]·dy[p, o]: a 1×1 convolution whose channels are the pixels. The tensor with more
 * channels is the kernel, as it lies; the other one, its channels turned into pixels, is the picture. What comes of it are
 * the kernel's channels in blocks.
 */
export function pointwiseGradient(node: Node, dy: Name, layout: FilterLayout, lowering: Lowering): Name {
  const { x } = node.inputs;
  const shape = node.attrs.filterShape as number[];
  const [channelsIn, channelsOut] = shape.slice(2);
  const geometry = convolutionGeometry(node, x.shape, shape);
  const images = geometry.batchSize;
  const area = geometry.outHeight * geometry.outWidth;
  const input = { name: pixelsRead(x, geometry, lowering), images, area, channels: channelsIn };
  const output = { name: dy, images, area, channels: channelsOut };
  const byInput = isTurnedGradient(shape);
  const products = byInput ? contract(input, output, lowering) : contract(output, input, lowering);
  const [kernel, picture] = byInput ? [channelsIn, channelsOut] : [channelsOut, channelsIn];
  if (layout !== 'nhwc') return lowering.reshape(products, lowering.shapeIn({ shape }, layout));
  const blocked = lowering.reshape(products, [1, lowering.padded(kernel), picture, 1]);
  const attributes = { channels: kernel, channels_last: Number(!byInput) };
  const gradient = lowering.op('ReorderOutput', [blocked], attributes, nchwcDomain);
  return lowering.reshape(gradient, shape);
}

/** The input pixels that a 1×1 kernel meets. */
function pixelsRead(x: Value, geometry: Geometry, lowering: Lowering): Name {
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = geometry;
  const rows = { from: inHeight, to: outHeight, stride: strideHeight, offset: -padInfo.top };
  const columns = { from: inWidth, to: outWidth, stride: strideWidth, offset: -padInfo.left };
  return pickPixels(lowering.use(x, 'blocked'), lowering.padded(x.shape[3]), [rows, columns], lowering);
}

/** Σ over pixels p of a[p, i]·b[p, j], as [a's channels/b, b's channels, b]. */
function contract(a: Pixels, b: Pixels, lowering: Lowering): Name {
  const { block } = lowering.target;
  const planes = lowering.padded(a.channels);
  // Image by image where that needs no moving of `a` and leaves no more sums than pixels; else the images are strung together.
  const apart = a.area % block === 0 && b.channels <= a.area;
  const groups = apart ? a.images : 1;
  const area = apart ? a.area : a.images * a.area;
  const split = [a.images, planes / block, a.area * block];
  const strung = apart ? a.name : lowering.permute(lowering.reshape(a.name, split), split, [1, 0, 2]);
  const pixels = lowering.padded(area);
  const filled = lowering.pad(lowering.reshape(strung, [(groups * planes) / block, area, block]), [
    [0, 0],
    [0, pixels - area],
    [0, 0],
  ]);
  const kernel = lowering.reshape(filled, [groups * planes, pixels, 1, 1]);
  const attributes = { kernel_shape: [1, 1], group: groups };
  const products = lowering.op('Conv', [turn(b, lowering), kernel], attributes, nchwcDomain);
  return lowering.sumRows(products, groups, planes * b.channels);
}

/** Pixels as the channels of a picture whose pixels are the channels: [1, pixels, channels, 1], blocked. */
function turn({ name, images, area, channels }: Pixels, lowering: Lowering): Name {
  const blocked = lowering.reshape(name, [images, lowering.padded(channels), area, 1]);
  const rows = lowering.op('ReorderOutput', [blocked], { channels, channels_last: 1 }, nchwcDomain);
  const pixels = images * area;
  const filled = lowering.pad(lowering.reshape(rows, [pixels, channels]), [
    [0, lowering.padded(pixels) - pixels],
    [0, 0],
  ]);
  const picture = lowering.reshape(filled, [1, lowering.padded(pixels), channels, 1]);
  return lowering.op('ReorderInput', [picture], {}, nchwcDomain);
}
