/**
 * Convolutions of groups on blocked tensors. ONNX Runtime's blocked convolution takes groups of whole blocks of channels:
 * smaller ones are merged until they fill one, with zeros in the filter between those that do not see each other.
 */
import type { Node } from '../trace/ir.ts';
import { formsOf } from './blocked-forms.ts';
import { windowGradient } from './blocked-window-gradient.ts';
import { scaleFilter } from './filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';
import { spreadPixels } from './pixels.ts';
import { attributesOf, convolutionGeometry, inputGradientPads } from './windows.ts';

/** How groups are merged. */
interface Merging {
  /** Groups after it. */
  groups: number;
  /** How many became one. */
  merged: number;
  /** Input and output channels of one. */
  channelsIn: number;
  channelsOut: number;
}

/** Undefined where no number of groups fills whole blocks. */
function mergingOf(shape: readonly number[], groups: number, block: number): Merging | undefined {
  const [perIn, perOut] = [shape[2], shape[3] / groups];
  for (let merged = 1; merged <= groups; merged *= 2) {
    const whole = [perIn * merged, perOut * merged].every((channels) => channels % block === 0);
    if (groups % merged === 0 && whole)
      return {
        groups: groups / merged,
        merged,
        channelsIn: perIn * merged,
        channelsOut: perOut * merged,
      };
  }
  return undefined;
}

/** 1 where an input channel of a merged group and an output channel are of the same group, [merged, 1, out]. */
function sameGroup({ merged, channelsOut, groups }: Merging, lowering: Lowering): Name {
  const out = groups * channelsOut;
  const values = Float32Array.from({ length: merged * out }, (_, index) =>
    Number(Math.floor(((index % out) % channelsOut) / (channelsOut / merged)) === Math.floor(index / out)),
  );
  return lowering.graph.constant('float32', [merged, 1, out], values);
}

/** A filter [kh · kw, in per group, out] with the input channels of merged groups. */
function mergedFilter(name: Name, shape: readonly number[], merging: Merging, lowering: Lowering): Name {
  const [height, width, perIn, out] = shape;
  if (merging.merged === 1) return lowering.reshape(name, [height * width, perIn, out]);
  const single = lowering.reshape(name, [height * width, 1, perIn, out]);
  const whole = lowering.op('Mul', [single, sameGroup(merging, lowering)]);
  return lowering.reshape(whole, [height * width, merging.channelsIn, out]);
}

/** Undoes `mergedFilter`: what stands between groups is left out. */
function separated(name: Name, shape: readonly number[], merging: Merging, lowering: Lowering): Name {
  const [height, width, perIn, out] = shape;
  if (merging.merged === 1) return lowering.reshape(name, shape);
  const split = lowering.reshape(name, [height * width, merging.merged, perIn, out]);
  const own = lowering.op('Mul', [split, sameGroup(merging, lowering)]);
  const sum = lowering.op('ReduceSum', [own, lowering.graph.ints([1])], { keepdims: 0 });
  return lowering.reshape(sum, shape);
}

/** [positions, in per group, out] as a blocked convolution's kernel. */
function blockedKernel(name: Name, extents: readonly number[], sides: number[], lowering: Lowering): Name {
  const [positions, channelsIn, out] = extents;
  const { block } = lowering.target;
  const split = [positions, channelsIn / block, block, out / block, block];
  const moved = lowering.op('Transpose', [lowering.reshape(name, split)], { perm: [3, 1, 0, 2, 4] });
  return lowering.reshape(moved, [out, channelsIn, ...sides]);
}

const conv2d = (node: Node, lowering: Lowering): boolean => {
  const { x, filter } = node.inputs;
  const merging = mergingOf(filter.shape, node.attrs.groups as number, lowering.target.block);
  if (!merging) return false;
  const [height, width, , out] = filter.shape;
  const attributes = attributesOf(convolutionGeometry(node, x.shape, filter.shape));
  const merged = mergedFilter(lowering.use(filter), filter.shape, merging, lowering);
  const kernel = blockedKernel(merged, [height * width, merging.channelsIn, out], [height, width], lowering);
  const inputs = [lowering.use(x, 'blocked'), kernel];
  formsOf(lowering).define(node.outputs[0], {
    kind: 'convolved',
    inputs: () => inputs,
    attributes: { ...attributes, group: merging.groups },
  });
  return true;
};

/** Input pixel i gets dy[o]·w[k] where i + pad = o·stride + k: dy, its pixels a stride apart, under the flipped kernel. */
const inputGradient = (node: Node, lowering: Lowering): boolean => {
  const { dy, filter } = node.inputs;
  const { block } = lowering.target;
  const merging = mergingOf(filter.shape, node.attrs.groups as number, block);
  const geometry = convolutionGeometry(node, node.attrs.inputShape as number[], filter.shape);
  const { strideHeight, strideWidth, filterHeight, filterWidth } = geometry;
  const pads = inputGradientPads(geometry);
  if (!merging || pads.some((pad) => pad < 0)) return false;
  const { groups, channelsIn, channelsOut } = merging;
  const { name, factor } = formsOf(lowering).outputGradient(dy, filter.shape);
  const plain = lowering.use(filter);
  const scaled = factor ? scaleFilter(plain, filter.shape, 'nhwc', factor, lowering.maker) : plain;
  const positions = filterHeight * filterWidth;
  const turned = lowering.graph.pickRows(
    mergedFilter(scaled, filter.shape, merging, lowering),
    positions,
    Array.from({ length: positions }, (_, index) => positions - 1 - index),
  );
  const split = [positions, channelsIn, groups, channelsOut];
  const swapped = lowering.op('Transpose', [lowering.reshape(turned, split)], { perm: [0, 3, 2, 1] });
  const sides = [filterHeight, filterWidth];
  const kernel = blockedKernel(swapped, [positions, channelsOut, groups * channelsIn], sides, lowering);
  const spread = spreadPixels(name, lowering.shapeIn(dy, 'blocked'), [strideHeight, strideWidth], lowering);
  const image = lowering.op(
    'Conv',
    [spread, kernel],
    { kernel_shape: sides, pads, group: groups },
    nchwcDomain,
  );
  lowering.define(node.outputs[0], image, 'blocked');
  return true;
};

const filterGradient = (node: Node, lowering: Lowering): boolean => {
  const shape = node.attrs.filterShape as number[];
  const merging = mergingOf(shape, node.attrs.groups as number, lowering.target.block);
  if (!merging) return false;
  const { name, factor } = formsOf(lowering).outputGradient(node.inputs.dy, shape);
  const merged = windowGradient(node, name, 'nhwc', lowering, {
    shape: shape.with(2, merging.channelsIn),
    groups: merging.groups,
  });
  const gradient = separated(merged, shape, merging, lowering);
  const scaled = factor ? scaleFilter(gradient, shape, 'nhwc', factor, lowering.maker) : gradient;
  lowering.define(node.outputs[0], scaled);
  return true;
};

export const blockedGroupedRules = {
  GroupedConv2D: conv2d,
  GroupedConv2DBackpropInput: inputGradient,
  GroupedConv2DBackpropFilter: filterGradient,
};
