/** Kernels of transformers: layer norm over the last axis, and GELU. */
import { sizeOf } from '../trace/ir.ts';
import { resultLayout } from './elementwise.ts';
import type { Lowering, Rule } from './lowering.ts';
import type { Name } from './onnx-graph.ts';

const layerNorm: Rule = (node, lowering) => {
  const { x, scale, offset } = node.inputs;
  const inputs = [x, scale, offset].map((value) => lowering.use(value));
  const names = lowering.graph.several('LayerNormalization', inputs, node.outputs.length, {
    axis: -1,
    epsilon: { float: node.attrs.epsilon as number },
  });
  for (const [index, output] of node.outputs.entries()) lowering.define(output, names[index]);
};

/** Sums over rows are products with ones, and means of products with γ are products with γ over the row's length. */
const layerNormGradient: Rule = (node, lowering) => {
  const { graph } = lowering;
  const [dx, dScale, dOffset] = node.outputs;
  const channels = dx.shape.at(-1)!;
  const rows = sizeOf(dx.shape) / channels;
  const { dy, x, scale, mean, r } = node.inputs;
  const [slope, image] = [dy, x].map((value) => lowering.rows(value));
  const [middle, inverse] = [mean, r].map((value) => lowering.reshape(lowering.use(value), [rows, 1]));
  const gamma = lowering.use(scale);
  const share = lowering.reshape(graph.op('Mul', [gamma, graph.scalar(1 / channels)]), [channels, 1]);
  const normal = graph.op('Mul', [graph.op('Sub', [image, middle]), inverse]);
  const product = graph.op('Mul', [slope, normal]);
  const average = lowering.product(slope, share);
  const along = lowering.product(product, share);
  const taken = graph.op('Add', [graph.op('Mul', [normal, along]), average]);
  const centered = graph.op('Sub', [graph.op('Mul', [slope, gamma]), taken]);
  lowering.define(dx, lowering.reshape(graph.op('Mul', [centered, inverse]), dx.shape));
  lowering.define(dScale, lowering.reshape(lowering.sumRows(product, rows, channels), [channels]));
  lowering.define(dOffset, lowering.reshape(lowering.sumRows(slope, rows, channels), [channels]));
};

/** 1 + erf(x/√2). */
const twiceNormalShare = (x: Name, { graph }: Lowering): Name =>
  graph.op('Add', [graph.op('Erf', [graph.op('Div', [x, graph.scalar(Math.SQRT2)])]), graph.scalar(1)]);

/** One pass where only this runtime reads the graph; else the form that it recognizes and other runtimes know. */
const gelu: Rule = (node, lowering) => {
  const { graph, target } = lowering;
  const layout = resultLayout(node, lowering);
  const x = lowering.use(node.inputs.x, layout);
  const isOwn = target.provider === 'cpu' && target.layout !== 'nchw';
  const name = isOwn
    ? graph.op('Gelu', [x], {}, 'com.microsoft')
    : graph.op('Mul', [graph.op('Mul', [x, twiceNormalShare(x, lowering)]), graph.scalar(0.5)]);
  lowering.define(node.outputs[0], name, layout);
};

/** Φ(x) + x φ(x) from u = x/√2: (1 + erf u)/2, for which HardSigmoid has a pass, and u/(exp(u²) √π), which ends in zero. */
const geluGradient: Rule = (node, lowering) => {
  const { graph } = lowering;
  const layout = resultLayout(node, lowering);
  const [dy, x] = [node.inputs.dy, node.inputs.x].map((value) => lowering.use(value, layout));
  const u = graph.op('Mul', [x, graph.scalar(Math.SQRT1_2)]);
  const half = { float: 0.5 };
  const share = graph.op('HardSigmoid', [graph.op('Erf', [u])], { alpha: half, beta: half });
  const density = graph.op('Div', [u, graph.op('Exp', [graph.op('Mul', [u, u])])]);
  const rest = graph.op('Mul', [density, graph.scalar(1 / Math.sqrt(Math.PI))]);
  lowering.define(node.outputs[0], graph.op('Mul', [dy, graph.op('Add', [share, rest])]), layout);
};

export const transformerRules: Record<string, Rule> = {
  LayerNorm: layerNorm,
  LayerNormGrad: layerNormGradient,
  Gelu: gelu,
  GeluGrad: geluGradient,
};
