/** The filter gradient of a convolution with windows, on blocked tensors. */
import type { Node } from '../trace/ir.ts';
import type { FilterLayout } from './filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';
import { convolutionGeometry, type Geometry } from './windows.ts';

/** The input as rows of pixels: `outer` families of rows for every image and group, `inner` channels per pixel. */
interface Rows {
  /** [images · groups · outer, paddedHeight, width · inner] */
  name: Name;
  outer: number;
  paddedHeight: number;
  inner: number;
}

/**
 * dW[r, c, i, o] = Σ over (n, y, x) of input[n, s·y + r - top, s·x + c - left, i] · dy[n, y, x, o], as one convolution:
 * its channels are the rows (n, y) of all images; it has a picture of columns by channels for every window row r and
 * block of i; its kernel is dy, whose columns x slide over the picture's, dilated by the stride s. So its output rows are
 * the window columns c, and no window position but the row is ever copied. Of a convolution of groups `shape` is one group's
 * filter, with the output channels of all.
 */
export function windowGradient(
  node: Node,
  dy: Name,
  layout: FilterLayout,
  lowering: Lowering,
  { shape, groups } = { shape: node.attrs.filterShape as number[], groups: 1 },
): Name {
  const [height, width, channelsIn, channelsOut] = shape;
  const geometry = convolutionGeometry(node, node.inputs.x.shape, shape);
  const { inWidth, outWidth, strideWidth, dilationWidth, padInfo } = geometry;
  const { block } = lowering.target;
  const rows = rowsOf(node, geometry, groups, lowering);
  const pictures = picturesOf(rows, geometry, groups, lowering);
  const reach = (width - 1) * dilationWidth + reachOf(outWidth, strideWidth);
  const right = Math.max(0, reach - inWidth - padInfo.left);
  const products = lowering.op(
    'Conv',
    [pictures, columnKernel(dy, geometry, lowering)],
    {
      kernel_shape: [outWidth, 1],
      strides: [dilationWidth, 1],
      dilations: [strideWidth, 1],
      pads: [padInfo.left, 0, right, 0],
      ...(groups > 1 && { group: groups }),
    },
    nchwcDomain,
  );
  // Columns that no window reaches give positions beyond the filter.
  const reached =
    Math.floor((inWidth + padInfo.left + right - reachOf(outWidth, strideWidth)) / dilationWidth) + 1;
  if (layout === 'filter') {
    const blocksOut = channelsOut / block;
    const columns = lowering.reshape(products, [height * rows.outer * blocksOut, reached, block * block]);
    const kept = reached === width ? columns : lowering.slice(columns, [1], [0], [width]);
    const split = [height, rows.outer, blocksOut, width * block * block];
    const blocks = lowering.permute(lowering.reshape(kept, split), split, [2, 1, 0, 3]);
    return lowering.reshape(blocks, lowering.shapeIn({ shape }, layout));
  }
  const attributes = { channels: channelsOut, channels_last: 1 };
  const positions = lowering.op('ReorderOutput', [products], attributes, nchwcDomain);
  const kept = reached === width ? positions : lowering.slice(positions, [1], [0], [width]);
  const split = [height, rows.outer, width, rows.inner * channelsOut];
  const gradient = lowering.permute(lowering.reshape(kept, split), split, [0, 2, 1, 3]);
  const filled = lowering.reshape(gradient, [height, width, rows.outer * rows.inner, channelsOut]);
  return rows.outer * rows.inner === channelsIn ? filled : lowering.slice(filled, [2], [0], [channelsIn]);
}

/** Pixels from the first to the last of `count` ones, `step` apart. */
const reachOf = (count: number, step: number): number => (count - 1) * step + 1;

/** Blocks of channels, or all the channels of an image that are too few for a block, padded above and below. */
function rowsOf(node: Node, geometry: Geometry, groups: number, lowering: Lowering): Rows {
  const { x } = node.inputs;
  const { batchSize, inHeight, inWidth, inChannels, outHeight, strideHeight, padInfo } = geometry;
  const { block } = lowering.target;
  const few = inChannels < block;
  const families = few ? 1 : lowering.padded(inChannels) / block;
  const inner = few ? inChannels : block;
  const paddedHeight = Math.max(
    padInfo.top + inHeight,
    (outHeight - 1) * strideHeight + geometry.effectiveFilterHeight,
  );
  const images = lowering.reshape(lowering.use(x, few ? 'nhwc' : 'blocked'), [
    batchSize * families,
    inHeight,
    inWidth * inner,
  ]);
  const name = lowering.pad(images, [
    [0, 0],
    [padInfo.top, paddedHeight - padInfo.top - inHeight],
    [0, 0],
  ]);
  return { name, outer: families / groups, paddedHeight, inner };
}

/** For every window row and family of rows, the rows that it multiplies with dy's, as blocked channels. */
function picturesOf(
  { name, outer, paddedHeight, inner }: Rows,
  geometry: Geometry,
  groups: number,
  lowering: Lowering,
) {
  const { batchSize, inWidth, outHeight, strideHeight, filterHeight, dilationHeight } = geometry;
  const channels = lowering.padded(batchSize * outHeight);
  const indices = new Int32Array(filterHeight * outer * groups * channels);
  let at = 0;
  for (let row = 0; row < filterHeight; row++)
    for (let family = 0; family < outer; family++)
      for (let group = 0; group < groups; group++)
        for (let channel = 0; channel < channels; channel++, at++) {
          const image = Math.floor(channel / outHeight);
          const y = channel % outHeight;
          const rows = (image * groups + group) * outer + family;
          // Channels that only fill the last block meet zeros of dy.
          if (image < batchSize) indices[at] = rows * paddedHeight + y * strideHeight + row * dilationHeight;
        }
  const rows = lowering.reshape(name, [batchSize * groups * outer * paddedHeight, inWidth * inner]);
  const picked = lowering.graph.pickRows(rows, batchSize * groups * outer * paddedHeight, indices);
  const pictures = lowering.reshape(picked, [filterHeight * outer, groups * channels, inWidth, inner]);
  return lowering.op('ReorderInput', [pictures], {}, nchwcDomain);
}

/** dy as a kernel [out, rows of all images, columns, 1]. */
function columnKernel(dy: Name, geometry: Geometry, lowering: Lowering): Name {
  const { batchSize, outHeight, outWidth, outChannels } = geometry;
  const { block } = lowering.target;
  const blocks = lowering.padded(outChannels) / block;
  const rows = batchSize * outHeight;
  const channels = lowering.padded(rows);
  const split = [batchSize, blocks, outHeight, outWidth * block];
  const byBlock = lowering.permute(lowering.reshape(dy, split), split, [1, 0, 2, 3]);
  const filled = lowering.pad(lowering.reshape(byBlock, [blocks, rows, outWidth * block]), [
    [0, 0],
    [0, channels - rows],
    [0, 0],
  ]);
  // Within a block of rows, columns come before rows: what ReorderInput does where columns are taken for channel blocks.
  const pictures = lowering.reshape(filled, [(blocks * channels) / block, block, 1, outWidth * block]);
  const moved = lowering.op('ReorderInput', [pictures], { channels_last: 1 }, nchwcDomain);
  return lowering.reshape(moved, [blocks * block, channels, outWidth, 1]);
}
