/** Sliding windows: their geometry, the pixels each window position reads, and the way back. */
import { backend_util } from '@tensorflow/tfjs-core';
import type { Node, Value } from '../trace/ir.ts';
import { type Lowering, nchwcDomain } from './lowering.ts';
import type { Attributes, Name } from './onnx-graph.ts';

type Shape4 = [number, number, number, number];
export type Geometry = ReturnType<typeof backend_util.computeConv2DInfo>;

/** Sizes, strides and padding of a convolution node, or of the convolution whose gradient it is. */
export function convolutionGeometry(node: Node, x: readonly number[], filter: readonly number[]): Geometry {
  const { strides, pad, dilations, dimRoundingMode } = node.attrs as Record<string, never>;
  const depthwise = node.kernel.startsWith('Depthwise');
  return backend_util.computeConv2DInfo(
    x as Shape4,
    filter as Shape4,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  );
}

/** Sizes, strides and padding of a pooling node over `x`, or of the pooling whose gradient it is. */
export function poolGeometry(node: Node, x: readonly number[]): Geometry {
  const { filterSize, strides, pad, dimRoundingMode } = node.attrs as Record<string, never>;
  return backend_util.computePool2DInfo(x as Shape4, filterSize, strides, 1, pad, dimRoundingMode);
}

/** The ONNX attributes of a convolution of this geometry. */
export function attributesOf(geometry: Geometry): Attributes {
  const { padInfo } = geometry;
  return {
    kernel_shape: [geometry.filterHeight, geometry.filterWidth],
    strides: [geometry.strideHeight, geometry.strideWidth],
    dilations: [geometry.dilationHeight, geometry.dilationWidth],
    pads: [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right],
  };
}

/** A batch of pictures [outer, height, width, inner]: NHWC as it is, or blocked with its blocks as inner axis. */
export interface Image {
  name: Name;
  outer: number;
  height: number;
  width: number;
  inner: number;
}

/** `value` as such pictures, in the given layout. */
export function imageOf(value: Value, layout: 'nhwc' | 'blocked', lowering: Lowering): Image {
  const [batch, height, width, channels] = value.shape;
  if (layout === 'nhwc') return { name: lowering.use(value), outer: batch, height, width, inner: channels };
  const inner = lowering.target.block;
  const outer = (batch * lowering.padded(channels)) / inner;
  const name = lowering.reshape(lowering.use(value, 'blocked'), [outer, height, width, inner]);
  return { name, outer, height, width, inner };
}

/** For each kernel position: the input pixels that it multiplies, [outer, outHeight, outWidth, inner]. */
export function taps(image: Image, geometry: Geometry, lowering: Lowering, padding = 0): Name[] {
  const { padInfo, outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const { filterHeight, filterWidth } = geometry;
  const { outer, inner } = image;
  const columnPhases = phasesOfColumns(geometry, image, lowering);
  const [height, width] = [
    padInfo.top + image.height + padInfo.bottom,
    padInfo.left + image.width + padInfo.right,
  ];
  const spare = width % columnPhases;
  const padded = lowering.pad(
    image.name,
    [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right + spare],
      [0, 0],
    ],
    padding,
  );
  const split =
    columnPhases === 1 ? padded : splitColumns(padded, { ...image, height, width: width + spare }, lowering);
  const steps = [1, strideHeight, strideWidth / columnPhases];
  return Array.from({ length: filterHeight * filterWidth }, (_, position) => {
    const top = Math.floor(position / filterWidth) * dilationHeight;
    const left = (position % filterWidth) * dilationWidth;
    const whole =
      top === padInfo.top &&
      left === padInfo.left &&
      strideHeight * strideWidth === 1 &&
      outHeight === image.height &&
      outWidth === image.width;
    if (whole) return image.name;
    const begin = [left % columnPhases, top, Math.floor(left / columnPhases)];
    const end = begin.map((at, axis) => at + ([1, outHeight, outWidth][axis] - 1) * steps[axis] + 1);
    const [axes, from] = columnPhases === 1 ? [[1, 2], 1] : [[1, 2, 3], 0];
    const tap = lowering.slice(split, axes, begin.slice(from), end.slice(from), steps.slice(from));
    return columnPhases === 1 ? tap : lowering.reshape(tap, [outer, outHeight, outWidth, inner]);
  });
}

/**
 * Into how many parts to split the columns before taking windows: with a stride of 2, blocks are split into even and odd
 * columns once, in parallel, so that every window position is made of whole rows.
 */
const phasesOfColumns = (geometry: Geometry, { inner }: Image, { target }: Lowering): 1 | 2 =>
  target.layout === 'blocked' &&
  inner === target.block &&
  geometry.strideWidth === 2 &&
  geometry.filterHeight * geometry.filterWidth > 4
    ? 2
    : 1;

/** Even columns, then odd ones: [outer, 2, height, width / 2, inner]. Two columns side by side are as two blocks of channels. */
function splitColumns(name: Name, { outer, height, width, inner }: Image, lowering: Lowering): Name {
  const pairs = lowering.reshape(name, [outer, height, width / 2, 2 * inner]);
  const split = lowering.op('ReorderInput', [pairs], { channels_last: 1 }, nchwcDomain);
  return lowering.reshape(split, [outer, 2, height, width / 2, inner]);
}

/** Positions along one axis that the windows' offset `offset` writes to: which phase of the stride, and which shift. */
const phaseOf = (offset: number, stride: number) => ({
  phase: offset % stride,
  shift: Math.floor(offset / stride),
});

/**
 * The way back of `taps`: adds one [outer, outHeight, outWidth, inner] contribution per window position into the
 * input's pixels. Contributions of equal phase (offset modulo stride) are added as shifted images; the phases are
 * then interleaved.
 */
export function untap(
  contributions: readonly Name[],
  geometry: Geometry,
  { outer, inner }: Pick<Image, 'outer' | 'inner'>,
  lowering: Lowering,
): Name {
  const { outHeight, outWidth, strideHeight, strideWidth, padInfo, inHeight, inWidth } = geometry;
  const height = Math.max(
    Math.ceil((padInfo.top + inHeight) / strideHeight),
    outHeight + Math.floor((geometry.effectiveFilterHeight - 1) / strideHeight),
  );
  const width = Math.max(
    Math.ceil((padInfo.left + inWidth) / strideWidth),
    outWidth + Math.floor((geometry.effectiveFilterWidth - 1) / strideWidth),
  );
  const phases = Array.from({ length: strideHeight }, () =>
    new Array<Name | undefined>(strideWidth).fill(undefined),
  );
  contributions.forEach((contribution, position) => {
    const row = phaseOf(Math.floor(position / geometry.filterWidth) * geometry.dilationHeight, strideHeight);
    const column = phaseOf((position % geometry.filterWidth) * geometry.dilationWidth, strideWidth);
    const placed = lowering.pad(contribution, [
      [0, 0],
      [row.shift, height - outHeight - row.shift],
      [column.shift, width - outWidth - column.shift],
      [0, 0],
    ]);
    const sum = phases[row.phase][column.phase];
    phases[row.phase][column.phase] = sum ? lowering.op('Add', [sum, placed]) : placed;
  });
  const rows = phases.map((row) => {
    const parts = row.map((phase) =>
      lowering.reshape(phase ?? lowering.graph.filled([outer, height, width, inner], 0, 'float32'), [
        outer,
        height,
        1,
        width,
        1,
        inner,
      ]),
    );
    return parts.length === 1 ? parts[0] : lowering.op('Concat', parts, { axis: 4 });
  });
  const interleaved = rows.length === 1 ? rows[0] : lowering.op('Concat', rows, { axis: 2 });
  const image = lowering.reshape(interleaved, [outer, height * strideHeight, width * strideWidth, inner]);
  if (height * strideHeight === inHeight && width * strideWidth === inWidth) return image;
  return lowering.slice(
    image,
    [1, 2],
    [padInfo.top, padInfo.left],
    [padInfo.top + inHeight, padInfo.left + inWidth],
  );
}
