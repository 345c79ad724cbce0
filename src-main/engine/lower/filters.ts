/**
 * How the filters of convolutions lie in memory on the CPU. ONNX Runtime's blocked convolution takes them in blocks of input by
 * output channels. State that is a filter stays in such blocks from step to step, with its momentum: the updates
 * work element by element, and only what a step needs in another order is moved.
 */
import { type Name, nchwcDomain, type OnnxGraph } from './onnx-graph.ts';

/**
 * tf.js's [height, width, in, out]; in blocks as [out/b, in/b, height, width, b in, b out], which a convolution takes; or
 * with `in` and `out` in each other's place, which the input gradient takes. Blocks are filled up with zeros, and
 * graphs declare them as rows, [blocks, b · b]: with ones as its last extents ONNX Runtime multiplies a tensor by a scalar ten times
 * as slowly.
 */
export type FilterLayout = 'nhwc' | 'filter' | 'turned';

/** Whether a layout is one of blocks of filters. */
export const isInBlocks = (layout: string): layout is 'filter' | 'turned' =>
  layout === 'filter' || layout === 'turned';

/** Whether a filter's gradient comes with its input channels in blocks: where they are the more, of a 1×1 kernel. */
export const isTurnedGradient = ([height, width, channelsIn, channelsOut]: readonly number[]): boolean =>
  height * width === 1 && channelsIn >= channelsOut;

/** The layout that a filter's gradient comes in: in blocks where its channels fill whole ones. */
export function layoutOfGradient(shape: readonly number[], block: number): FilterLayout {
  if (shape.slice(2).some((channels) => channels % block !== 0)) return 'nhwc';
  return isTurnedGradient(shape) ? 'turned' : 'filter';
}

/** How many blocks a filter is. */
export const filterBlocks = (
  [height, width, channelsIn, channelsOut]: readonly number[],
  block: number,
): number => height * width * Math.ceil(channelsIn / block) * Math.ceil(channelsOut / block);

/** The order in which values of a program lie in a graph: reshaped to `split`, its axes then brought into `order`. */
export interface Arrangement {
  split: number[];
  order: number[];
}

/** How a filter of whole blocks is arranged. */
export function arrangementOf(
  [height, width, channelsIn, channelsOut]: readonly number[],
  layout: FilterLayout,
  block: number,
): Arrangement | undefined {
  if (layout === 'nhwc') return undefined;
  const split = [height, width, channelsIn / block, block, channelsOut / block, block];
  return { split, order: layout === 'filter' ? [4, 2, 0, 1, 3, 5] : [2, 4, 0, 1, 5, 3] };
}

/** Where nodes are made, and the floats in a block. */
interface Maker {
  graph: OnnxGraph;
  block: number;
}

const reshaped = (name: Name, shape: readonly number[], { graph }: Maker): Name =>
  graph.op('Reshape', [name, graph.ints(shape)]);

/**
 * A filter in another layout. In blocks it may be a part of it: its positions (row by row, counted from the top left) that are
 * named, in their order.
 */
export function convertFilter(
  name: Name,
  shape: readonly number[],
  from: FilterLayout,
  to: FilterLayout,
  maker: Maker,
  positions: readonly number[] = allPositions(shape),
): Name {
  const arrangement = arrangementOf(shape, from, maker.block);
  if (to !== 'nhwc' || !arrangement) return rearranged(name, shape, from, to, positions, maker);
  const { split, order } = arrangement;
  const blocks = reshaped(
    name,
    order.map((axis) => split[axis]),
    maker,
  );
  const perm = split.map((_, axis) => order.indexOf(axis));
  return reshaped(maker.graph.op('Transpose', [blocks], { perm }), shape, maker);
}

export const allPositions = ([height, width]: readonly number[]): number[] => [
  ...Array(height * width).keys(),
];

/** Blocks of b × b elements, and which of them holds given blocks of input and output channels at a position. */
interface Blocks {
  name: Name;
  at(input: number, output: number, position: number): number;
}

function rearranged(
  name: Name,
  shape: readonly number[],
  from: FilterLayout,
  to: FilterLayout,
  positions: readonly number[],
  maker: Maker,
): Name {
  const { graph, block } = maker;
  const [blocksIn, blocksOut] = shape.slice(2).map((channels) => Math.ceil(channels / block));
  const { name: split, at } = blocksOf(name, shape, from, to, maker);
  const rows: number[] = [];
  const [outer, inner] = to === 'filter' ? [blocksOut, blocksIn] : [blocksIn, blocksOut];
  for (let a = 0; a < outer; a++)
    for (let b = 0; b < inner; b++)
      for (const position of positions) rows.push(to === 'filter' ? at(b, a, position) : at(a, b, position));
  const count = filterBlocks(shape, block);
  return graph.pickRows(reshaped(split, [count, block ** 2], maker), count, rows);
}

/** The blocks of a filter with the channels inside them as the layout `to` has them: at most one pass, of ReorderInput. */
function blocksOf(
  name: Name,
  shape: readonly number[],
  from: FilterLayout,
  to: FilterLayout,
  maker: Maker,
): Blocks {
  const { graph, block } = maker;
  const [height, width, channelsIn, channelsOut] = shape;
  const area = height * width;
  const [blocksIn, blocksOut] = [channelsIn, channelsOut].map((channels) => Math.ceil(channels / block));
  const reorder = (image: Name, picture: number[], channelsLast: boolean) =>
    graph.op(
      'ReorderInput',
      [reshaped(image, picture, maker)],
      { channels_last: Number(channelsLast) },
      nchwcDomain,
    );
  // ReorderInput fills up the axis that it splits, not the other one.
  const filled = (axis: 1 | 2, to: number) => {
    const after = to - shape[axis + 1];
    const flat = reshaped(name, [area, channelsIn, channelsOut], maker);
    if (after === 0) return flat;
    const pads = graph.ints([0, 0, 0, 0, axis === 1 ? after : 0, axis === 2 ? after : 0]);
    return graph.op('Pad', [flat, pads, graph.scalar(0)]);
  };
  if (from === 'nhwc' && to === 'filter')
    return {
      name: reorder(filled(1, blocksIn * block), [1, area * blocksIn * block, 1, channelsOut], true),
      at: (input, output, position) => (output * area + position) * blocksIn + input,
    };
  if (from === 'nhwc')
    return {
      name: reorder(filled(2, blocksOut * block), [area, channelsIn, blocksOut * block, 1], false),
      at: (input, output, position) => (position * blocksIn + input) * blocksOut + output,
    };
  const blocks = area * blocksIn * blocksOut;
  return {
    name: from === to ? name : reorder(name, [blocks, block, block, 1], false),
    at: (input, output, position) =>
      (from === 'filter' ? output * blocksIn + input : input * blocksOut + output) * area + position,
  };
}

/** A filter, or its gradient, times a factor for every output channel. */
export function scaleFilter(
  name: Name,
  shape: readonly number[],
  layout: FilterLayout,
  factor: Name,
  maker: Maker,
): Name {
  const { graph, block } = maker;
  const [height, width, channelsIn, channelsOut] = shape;
  // A depthwise filter's output channels are its last axis but one.
  if (layout === 'nhwc')
    return graph.op('Mul', [name, channelsOut === 1 ? reshaped(factor, [-1, 1], maker) : factor]);
  const blocksOut = channelsOut / block;
  const [split, factors] =
    layout === 'filter'
      ? [
          [blocksOut, height * width * channelsIn, block],
          [blocksOut, 1, block],
        ]
      : [
          [channelsIn / block, blocksOut, height * width, block, block],
          [blocksOut, 1, block, 1],
        ];
  const scaled = graph.op('Mul', [reshaped(name, split, maker), reshaped(factor, factors, maker)]);
  return reshaped(scaled, [filterBlocks(shape, block), block ** 2], maker);
}
