/** Channels of blocked images joined and parted: of whole blocks, so that what is moved are whole pictures of a block. */
import { util } from '@tensorflow/tfjs-core';
import { type Node, sizeOf, type Value } from '../trace/ir.ts';
import type { Lowering } from './lowering.ts';

/** Whether a kernel works along the channels of images that fill whole blocks. */
const isByBlocks = ({ attrs }: Node, whole: Value, parts: readonly Value[], { target }: Lowering): boolean =>
  whole.shape.length === 4 &&
  util.parseAxisParam(attrs.axis as number, [...whole.shape])[0] === 3 &&
  parts.every(({ shape, dtype }) => shape[3] % target.block === 0 && dtype === 'float32');

const concatenate = (node: Node, lowering: Lowering): boolean => {
  const parts = Object.values(node.inputs);
  const [whole] = node.outputs;
  if (!parts.some((part) => lowering.isBlocked(part)) || !isByBlocks(node, whole, parts, lowering))
    return false;
  const names = parts.map((part) => lowering.use(part, 'blocked'));
  lowering.define(whole, lowering.op('Concat', names, { axis: 1 }), 'blocked');
  return true;
};

/** Parts are rows picked, which ONNX Runtime does on all processors, other than Slice or Split. */
const split = (node: Node, lowering: Lowering): boolean => {
  const { x } = node.inputs;
  if (!lowering.isBlocked(x) || !isByBlocks(node, x, node.outputs, lowering)) return false;
  const { block } = lowering.target;
  const [batch, , , channels] = x.shape;
  const pictures = channels / block;
  const rows = batch * pictures;
  const whole = lowering.reshape(lowering.use(x, 'blocked'), [rows, sizeOf(x.shape) / rows]);
  let from = 0;
  for (const part of node.outputs) {
    const count = part.shape[3] / block;
    const first = from;
    const picked = Array.from(
      { length: batch * count },
      (_, row) => Math.floor(row / count) * pictures + first + (row % count),
    );
    const name = lowering.graph.pickRows(whole, rows, picked);
    lowering.define(part, lowering.reshape(name, lowering.shapeIn(part, 'blocked')), 'blocked');
    from += count;
  }
  return true;
};

export const blockedConcatenationRules = { Concat: concatenate, SplitV: split };
