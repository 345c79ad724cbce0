/** Sliding windows: their geometry, the pixels each window position reads, and the way back. */
import { backend_util } from '@tensorflow/tfjs-core';
import type { Node, Value } from '../trace/ir.ts';
import type { Lowering } from './lowering.ts';
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

/**
 * Pads [top, left, bottom, right] of the convolution that a gradient of the input is: over dy, its pixels a stride apart,
 * under the flipped kernel. Negative ones crop.
 */
export function inputGradientPads(geometry: Geometry): number[] {
  const { padInfo, strideHeight, strideWidth, filterHeight, filterWidth } = geometry;
  return [
    filterHeight - 1 - padInfo.top,
    filterWidth - 1 - padInfo.left,
    geometry.inHeight - geometry.outHeight * strideHeight + padInfo.top,
    geometry.inWidth - geometry.outWidth * strideWidth + padInfo.left,
  ];
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

/** For each kernel position: the input pixels of `value` that it multiplies, [batch, outHeight, outWidth, channels]. */
export function taps(value: Value, geometry: Geometry, lowering: Lowering, padding = 0): Name[] {
  const { padInfo, outHeight, outWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const { filterHeight, filterWidth, inHeight, inWidth } = geometry;
  const image = lowering.use(value);
  const padded = lowering.pad(
    image,
    [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ],
    padding,
  );
  return Array.from({ length: filterHeight * filterWidth }, (_, position) => {
    const top = Math.floor(position / filterWidth) * dilationHeight;
    const left = (position % filterWidth) * dilationWidth;
    const whole =
      top === padInfo.top &&
      left === padInfo.left &&
      strideHeight * strideWidth === 1 &&
      outHeight === inHeight &&
      outWidth === inWidth;
    if (whole) return image;
    const end = [top + (outHeight - 1) * strideHeight + 1, left + (outWidth - 1) * strideWidth + 1];
    return lowering.slice(padded, [1, 2], [top, left], end, [strideHeight, strideWidth]);
  });
}

/** Positions along one axis that the windows' offset `offset` writes to: which phase of the stride, and which shift. */
const phaseOf = (offset: number, stride: number) => ({
  phase: offset % stride,
  shift: Math.floor(offset / stride),
});

/**
 * The way back of `taps`: adds one [batch, outHeight, outWidth, channels] contribution per window position into the
 * input's pixels. Contributions of equal phase (offset modulo stride) are added as shifted images; the phases are
 * then interleaved.
 */
export function untap(contributions: readonly Name[], geometry: Geometry, lowering: Lowering): Name {
  const { outHeight, outWidth, strideHeight, strideWidth, padInfo, inHeight, inWidth } = geometry;
  const { batchSize, inChannels } = geometry;
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
  const image = interleave(phases, [batchSize, height, width, inChannels], lowering);
  if (height * strideHeight === inHeight && width * strideWidth === inWidth) return image;
  return lowering.slice(
    image,
    [1, 2],
    [padInfo.top, padInfo.left],
    [padInfo.top + inHeight, padInfo.left + inWidth],
  );
}

/**
 * Images [outer, height, width, inner], one for every phase of a stride in both directions, as one whose pixels take turns:
 * [outer, rows·height, columns·width, inner]. A phase that is not there is zero.
 */
export function interleave(
  phases: readonly (readonly (Name | undefined)[])[],
  [outer, height, width, inner]: readonly number[],
  lowering: Lowering,
): Name {
  const joined = (parts: readonly Name[], axis: number) =>
    parts.length === 1 ? parts[0] : lowering.op('Concat', parts, { axis });
  const split = [outer, height, 1, width, 1, inner];
  const lines = phases.map((row) =>
    joined(
      row.map((phase) =>
        phase ? lowering.reshape(phase, split) : lowering.graph.filled(split, 0, 'float32'),
      ),
      4,
    ),
  );
  const size = [outer, phases.length * height, phases[0].length * width, inner];
  return lowering.reshape(joined(lines, 2), size);
}
