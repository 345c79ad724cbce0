import { defineImage } from './convolution.ts';
import type { Rule } from './lowering.ts';
import { type Name, onnxTypes } from './onnx-graph.ts';
import { attributesOf, poolGeometry, taps, untap } from './windows.ts';

const pool =
  (type: 'MaxPool' | 'AveragePool'): Rule =>
  (node, lowering) => {
    const { x } = node.inputs;
    const attributes = attributesOf(poolGeometry(node, x.shape));
    // ONNX Runtime's AveragePool takes dilations only from opset 19 on; tf.js's has none.
    if (type === 'AveragePool') attributes.dilations = undefined;
    defineImage(node.outputs[0], lowering.op(type, [lowering.use(x, 'nchw')], attributes), lowering);
  };

/**
 * The gradient goes to the first maximum of each window, in row-major order, as in tf.js and PyTorch: what a window
 * position takes is gone for the later ones.
 */
const maxPoolGradient: Rule = (node, lowering) => {
  const { dy, input, output } = node.inputs;
  const { graph } = lowering;
  const geometry = poolGeometry(node, input.shape);
  const maximum = lowering.use(output);
  let remaining = lowering.use(dy);
  const contributions = taps(input, geometry, lowering, Number.NEGATIVE_INFINITY).map((source): Name => {
    const hit = graph.op('Cast', [graph.op('Equal', [source, maximum])], { to: onnxTypes.float32 });
    const contribution = graph.op('Mul', [remaining, hit]);
    remaining = graph.op('Sub', [remaining, contribution]);
    return contribution;
  });
  lowering.define(node.outputs[0], untap(contributions, geometry, lowering));
};

/** Every pixel of a window gets dy over the count of its pixels inside the image. */
const avgPoolGradient: Rule = (node, lowering) => {
  const { dy, input } = node.inputs;
  const { graph } = lowering;
  const geometry = poolGeometry(node, input.shape);
  const { padInfo, inHeight, inWidth } = geometry;
  const covered = (length: number, out: number, stride: number, side: number, before: number) =>
    Array.from({ length: out }, (_, index) => {
      const from = Math.max(0, index * stride - before);
      const to = Math.min(length, index * stride - before + side);
      return to - from;
    });
  const rows = covered(
    inHeight,
    geometry.outHeight,
    geometry.strideHeight,
    geometry.filterHeight,
    padInfo.top,
  );
  const columns = covered(
    inWidth,
    geometry.outWidth,
    geometry.strideWidth,
    geometry.filterWidth,
    padInfo.left,
  );
  const shares = Float32Array.from(rows.flatMap((row) => columns.map((column) => 1 / (row * column))));
  const share = graph.constant('float32', [1, rows.length, columns.length, 1], shares);
  const contribution = graph.op('Mul', [lowering.use(dy), share]);
  const count = geometry.filterHeight * geometry.filterWidth;
  lowering.define(node.outputs[0], untap(new Array<Name>(count).fill(contribution), geometry, lowering));
};

export const poolingRules: Record<string, Rule> = {
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  MaxPoolGrad: maxPoolGradient,
  AvgPoolGrad: avgPoolGradient,
};
