/** Rules for the blocked layout. A rule returns false where it does not apply; the general one then does. */
import { util } from '@tensorflow/tfjs-core';
import { type Node, sizeOf, type Value } from '../trace/ir.ts';
import { blockedConcatenationRules } from './blocked-concatenation.ts';
import { blockedConvolutionRules, reorders } from './blocked-convolution.ts';
import { blockedFilterGradientRules } from './blocked-filter-gradient.ts';
import { formsOf, isMaskLimit } from './blocked-forms.ts';
import { blockedGroupedRules } from './blocked-grouped.ts';
import { blockedPoolingRules } from './blocked-pooling.ts';
import { blockedProductRules } from './blocked-product.ts';
import type { Lowering } from './lowering.ts';
import { type Attributes, type Name, nchwcDomain } from './onnx-graph.ts';

export type BlockedRule = (node: Node, lowering: Lowering) => boolean;

const sameShape = (a: Value, b: Value): boolean => a.shape.join() === b.shape.join();

/** The blocked operand and the other one, where the result has the blocked one's shape. */
function operands({ inputs: { a, b }, outputs }: Node, lowering: Lowering): [Value, Value] | undefined {
  if (lowering.isBlocked(a) && sameShape(a, outputs[0])) return [a, b];
  if (lowering.isBlocked(b) && sameShape(b, outputs[0])) return [b, a];
  return undefined;
}

const multiply: BlockedRule = (node, lowering) => {
  const pair = operands(node, lowering);
  if (!pair) return spread(node, lowering);
  const [x, factor] = spreadLast(pair, lowering);
  const { graph } = lowering;
  const forms = formsOf(lowering);
  const [output] = node.outputs;
  if (sameShape(x, factor) && !isSpread(factor, lowering)) {
    forms.define(output, forms.joined(x, factor) ?? { kind: 'product', a: x, b: factor });
    return true;
  }
  const along = forms.alongPixels(factor, x.shape);
  if (!along) return false;
  const own = forms.get(x);
  if (own?.kind === 'spread') {
    forms.define(output, { kind: 'spread', values: graph.op('Mul', [own.values, along.name]) });
    return true;
  }
  const form = forms.affine(x);
  const { scale, bias, sum, perImage } = form;
  if (sum) {
    const made = lowering.use(x, 'blocked');
    forms.define(output, { kind: 'affine', x: made, scale: along.name, perImage: along.perImage });
    return true;
  }
  forms.define(output, {
    kind: 'affine',
    x: form.x,
    scale: scale ? graph.op('Mul', [scale, along.name]) : along.name,
    bias: bias && graph.op('Mul', [bias, along.name]),
    perImage: perImage || along.perImage,
  });
  return true;
};

/** Whether a value is one for all pixels of an image's channel. */
const isSpread = (value: Value, lowering: Lowering): boolean =>
  formsOf(lowering).get(value)?.kind === 'spread';

/** Of two images the one that is no such value first. */
const spreadLast = ([x, other]: [Value, Value], lowering: Lowering): [Value, Value] =>
  sameShape(x, other) && isSpread(x, lowering) ? [other, x] : [x, other];

/** One value for every image and channel, times ones: a mean's gradient. */
const spread: BlockedRule = ({ inputs, outputs: [output] }, lowering) => {
  const { a: values, b: ones } = inputs;
  const isOnes = ones.kind === 'constant' && ones.fill === 1;
  if (!isOnes || !sameShape(ones, output) || output.shape.length !== 4 || !reorders(output.shape[3]))
    return false;
  const matrix = formsOf(lowering).imageMatrix(values, output.shape);
  if (!matrix) return false;
  formsOf(lowering).define(output, { kind: 'spread', values: matrix });
  return true;
};

const divide: BlockedRule = (node, lowering) => {
  const { a, b } = node.inputs;
  if (!lowering.isBlocked(a) || !sameShape(a, node.outputs[0]) || sameShape(a, b)) return false;
  const vector = formsOf(lowering).channelVector(b, a.shape[3]);
  // Padded channels would divide by zero.
  if (!vector || (sizeOf(b.shape) > 1 && a.shape[3] % lowering.target.block !== 0)) return false;
  const { graph } = lowering;
  const forms = formsOf(lowering);
  const factor = graph.op('Reciprocal', [vector]);
  const own = forms.get(a);
  if (own?.kind === 'spread') {
    forms.define(node.outputs[0], { kind: 'spread', values: graph.op('Mul', [own.values, factor]) });
    return true;
  }
  const { sum, ...form } = forms.affine(a);
  if (sum) return false;
  forms.define(node.outputs[0], {
    ...form,
    scale: form.scale ? graph.op('Mul', [form.scale, factor]) : factor,
    bias: form.bias && graph.op('Mul', [form.bias, factor]),
  });
  return true;
};

const addition =
  (type: 'Add' | 'Sub'): BlockedRule =>
  (node, lowering) => {
    const pair = operands(node, lowering);
    if (!pair) return false;
    const [x, other] = type === 'Add' ? spreadLast(pair, lowering) : pair;
    if (type === 'Sub' && (x !== node.inputs.a || sameShape(x, other))) return false;
    const { graph } = lowering;
    const forms = formsOf(lowering);
    if (!sameShape(x, other) || isSpread(other, lowering)) {
      const along = forms.alongPixels(other, x.shape);
      if (!along) return false;
      const added = type === 'Sub' ? graph.op('Neg', [along.name]) : along.name;
      const convolved = forms.openConvolution(x);
      if (convolved && !convolved.sum && !along.perImage) {
        const { bias } = convolved;
        const whole = bias ? graph.op('Add', [bias, added]) : added;
        forms.define(node.outputs[0], { ...convolved, bias: whole });
        return true;
      }
      const form = forms.affine(x);
      forms.define(node.outputs[0], {
        ...form,
        bias: form.bias ? graph.op('Add', [form.bias, added]) : added,
        perImage: form.perImage || along.perImage,
      });
      return true;
    }
    const [convolved, beside] = forms.openConvolution(x) ? [x, other] : [other, x];
    const convolution = forms.openConvolution(convolved);
    if (convolution && !convolution.sum) {
      forms.define(node.outputs[0], { ...convolution, sum: lowering.use(beside, 'blocked') });
      return true;
    }
    const open = (value: Value) => {
      const form = forms.get(value);
      return form?.kind === 'affine' && !form.sum;
    };
    const [taken, added] = open(x) || !open(other) ? [x, other] : [other, x];
    const form = forms.affine(taken);
    const base = form.sum ? { kind: 'affine' as const, x: lowering.use(taken, 'blocked') } : form;
    forms.define(node.outputs[0], { ...base, sum: lowering.use(added, 'blocked') });
    return true;
  };

const activation =
  (attributes: Attributes): BlockedRule =>
  (node, lowering) => {
    const { x } = node.inputs;
    if (!lowering.isBlocked(x)) return false;
    formsOf(lowering).activate(x, node.outputs[0], attributes);
    return true;
  };

/** Step of what has been activated already looks at the activated value: it is there, the other often is not. */
const step: BlockedRule = (node, lowering) => {
  const { x } = node.inputs;
  if (!lowering.isBlocked(x) || node.attrs.alpha) return false;
  const forms = formsOf(lowering);
  forms.define(node.outputs[0], { kind: 'mask', positive: forms.activated.get(x) ?? x });
  return true;
};

/** x < limit. */
const less: BlockedRule = (node, lowering) => {
  const { a, b } = node.inputs;
  if (!lowering.isBlocked(a) || b.kind !== 'constant' || b.fill === null || !isMaskLimit(b.fill))
    return false;
  formsOf(lowering).define(node.outputs[0], { kind: 'mask', under: { value: a, limit: b.fill } });
  return true;
};

/** x ≤ 6 in ReLU6's gradient, by its activated value: below 6. They differ only where x is 6 exactly. */
const lessEqual: BlockedRule = (node, lowering) => {
  const { a, b } = node.inputs;
  const seen = formsOf(lowering).activated.get(a);
  const isRelu6 = seen?.kind === 'result' && seen.node.kernel === 'Relu6';
  if (!isRelu6 || b.kind !== 'constant' || b.fill !== 6) return false;
  formsOf(lowering).define(node.outputs[0], { kind: 'mask', under: { value: seen, limit: 6 } });
  return true;
};

const cast: BlockedRule = (node, lowering) => {
  const form = formsOf(lowering).get(node.inputs.x);
  if (form?.kind !== 'mask' || node.outputs[0].dtype !== 'float32') return false;
  formsOf(lowering).define(node.outputs[0], form);
  return true;
};

const square: BlockedRule = (node, lowering) => {
  const { x } = node.inputs;
  if (!lowering.isBlocked(x)) return false;
  formsOf(lowering).define(node.outputs[0], { kind: 'product', a: x, b: x });
  return true;
};

/** Sums over the spatial axes, and over the batch where asked: one pass, of a pooling or of a depthwise convolution. */
const reduction =
  (type: 'Sum' | 'Mean'): BlockedRule =>
  (node, lowering) => {
    const { x } = node.inputs;
    if (!lowering.isBlocked(x)) return false;
    const axes = util.parseAxisParam(node.attrs.axis as number[], [...x.shape]).sort();
    const overBatch = axes.join() === '0,1,2';
    if (!overBatch && axes.join() !== '1,2') return false;
    const { graph } = lowering;
    const [batch, height, width, channels] = x.shape;
    const padded = lowering.padded(channels);
    const form = formsOf(lowering).get(x);
    // A product that others need as well is made anyway, and then cheaper to sum alone.
    const onlyHere = lowering.usesOf(x) === 1;
    const [perImage, isMean] =
      form?.kind === 'product' && onlyHere
        ? [products(form, x, lowering), false]
        : [pooled(x, lowering), true];
    const factor =
      (isMean ? height * width : 1) / (type === 'Mean' ? height * width * (overBatch ? batch : 1) : 1);
    let result = lowering.reshape(perImage, [batch, padded]);
    if (overBatch) result = graph.op('MatMul', [graph.filled([batch], factor, 'float32'), result]);
    else if (factor !== 1) result = graph.op('Mul', [result, graph.scalar(factor)]);
    if (padded !== channels) result = lowering.slice(result, [overBatch ? 0 : 1], [0], [channels]);
    const { shape } = node.outputs[0];
    const whole = shape.length === (overBatch ? 1 : 2);
    lowering.define(node.outputs[0], whole ? result : lowering.reshape(result, shape));
    return true;
  };

const pooled = (x: Value, lowering: Lowering): Name =>
  lowering.op('GlobalAveragePool', [lowering.use(x, 'blocked')], {}, nchwcDomain);

/** Σ a·b of every image and channel: a depthwise convolution of one whole picture with the other as its kernel. */
function products({ a, b }: { a: Value; b: Value }, { shape }: Value, lowering: Lowering): Name {
  const [batch, height, width, channels] = shape;
  const planes = batch * lowering.padded(channels);
  const image = lowering.reshape(lowering.use(a, 'blocked'), [1, planes, height, width]);
  const kernel = lowering.reshape(lowering.use(b, 'blocked'), [planes, 1, height, width]);
  return lowering.op('Conv', [image, kernel], { kernel_shape: [height, width], group: planes }, nchwcDomain);
}

/** The first of two rules that applies. */
const either =
  (first: BlockedRule, second: BlockedRule): BlockedRule =>
  (node, lowering) =>
    first(node, lowering) || second(node, lowering);

export const blockedRules: Record<string, BlockedRule> = {
  ...blockedConcatenationRules,
  ...blockedConvolutionRules,
  ...blockedFilterGradientRules,
  ...blockedGroupedRules,
  ...blockedPoolingRules,
  ...blockedProductRules,
  Multiply: either(blockedProductRules.Multiply, multiply),
  RealDiv: divide,
  Add: either(blockedProductRules.Add, addition('Add')),
  Sub: addition('Sub'),
  Relu: either(activation({ activation: 'Relu' }), blockedProductRules.Relu),
  Relu6: activation({ activation: 'Clip', activation_params: { floats: [0, 6] } }),
  Step: step,
  Less: less,
  LessEqual: lessEqual,
  Cast: cast,
  Square: square,
  Sum: reduction('Sum'),
  Mean: reduction('Mean'),
};
