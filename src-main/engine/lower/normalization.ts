import { operand } from './elementwise.ts';
import type { Rule } from './lowering.ts';

/** Batch norm with given statistics. In NCHW it stays one node, which ONNX Runtime folds into a convolution before it. */
const fusedBatchNorm: Rule = (node, lowering) => {
  const { graph } = lowering;
  const { x, mean, variance, offset, scale } = node.inputs;
  const epsilon = node.attrs.varianceEpsilon as number;
  const [output] = node.outputs;
  const vector = (value: typeof mean | undefined, fill: number) =>
    value ? lowering.reshape(lowering.use(value), [-1]) : graph.filled([x.shape.at(-1)!], fill, 'float32');
  const perChannel = [mean, variance].every((value) => value.shape.length === 1);
  if (perChannel && x.shape.length === 4 && lowering.layoutOf(x) === 'nchw') {
    const inputs = [
      lowering.use(x, 'nchw'),
      vector(scale, 1),
      vector(offset, 0),
      vector(mean, 0),
      vector(variance, 1),
    ];
    const name = graph.op('BatchNormalization', inputs, { epsilon: { float: epsilon } });
    return lowering.define(output, name, 'nchw');
  }
  const deviation = graph.op('Sqrt', [graph.op('Add', [lowering.use(variance), graph.scalar(epsilon)])]);
  const factor = scale
    ? graph.op('Div', [lowering.use(scale), deviation])
    : graph.op('Reciprocal', [deviation]);
  const shift = graph.op('Mul', [lowering.use(mean), factor]);
  const bias = offset ? graph.op('Sub', [lowering.use(offset), shift]) : graph.op('Neg', [shift]);
  const scaled = graph.op('Mul', [operand(x, 'nhwc', lowering), factor]);
  lowering.define(output, graph.op('Add', [scaled, bias]));
};

export const normalizationRules: Record<string, Rule> = { FusedBatchNorm: fusedBatchNorm };
