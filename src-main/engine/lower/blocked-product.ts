/**
 * Products with matrices that are known beforehand, as 1×1 convolutions whose pixels are the rows. ONNX Runtime's own product
 * wants such a matrix in an order of which it makes a copy, or takes longer; and a convolution takes the bias in.
 */
import { type ConstantValue, type Node, sizeOf, type Value } from '../trace/ir.ts';
import { reorders } from './blocked-convolution.ts';
import { formsOf } from './blocked-forms.ts';
import { inItsBlocks } from './known-filters.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain } from './onnx-graph.ts';

/** [batch, height, width] of a blocked image whose pixels are the rows of a value. */
type Picture = readonly [number, number, number];

/** A value [..., channels] as a blocked image. */
interface Rows {
  picture: Picture;
  /** The image, made at the first call. */
  image: () => Name;
  /** What it is to be made of, where nothing has asked for it yet. */
  product?: Product;
}

interface Factors {
  /** What is multiplied: a value in tf.js's order, or an image. */
  a: Value;
  x: () => Name;
  matrix: ConstantValue;
  /** For every column. */
  factors?: Float32Array;
  bias?: Float32Array;
}

interface Product extends Factors {
  /** The matrix as a filter, made at the first call. */
  filter: () => Name;
}

/** Elements of a matrix from which on its order matters. */
const large = 2 ** 14;
/** Rows up to which a product that packs its matrix takes much longer. */
const fewRows = 32;
/** Pixels of an image from which on it is a picture of its own: with few, the matrix would be read anew for each of them. */
const ownPicture = 64;

const rowsByGraph = new WeakMap<Lowering, Map<Value, Rows>>();

function rowsOf(lowering: Lowering): Map<Value, Rows> {
  const rows = rowsByGraph.get(lowering) ?? new Map<Value, Rows>();
  rowsByGraph.set(lowering, rows);
  return rows;
}

const once = (make: () => Name): (() => Name) => {
  let made: Name | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

function define(value: Value, rows: Rows, lowering: Lowering): void {
  const channels = value.shape.at(-1)!;
  rowsOf(lowering).set(value, rows);
  const isImage = value.shape.join() === [...rows.picture, channels].join();
  if (isImage && rows.product)
    formsOf(lowering).define(value, { kind: 'convolved', ...convolutionOf(rows.product, lowering) });
  else if (isImage) lowering.defer(value, 'blocked', rows.image);
  else
    lowering.defer(value, 'nhwc', () => {
      const attributes = { channels, channels_last: 1 };
      const ordered = isPlain(rows, lowering)
        ? plainProduct(rows.product!, lowering)
        : lowering.op('ReorderOutput', [rows.image()], attributes, nchwcDomain);
      return lowering.reshape(ordered, value.shape);
    });
}

const batchMatMul = (node: Node, lowering: Lowering): boolean => {
  const { a, b: matrix } = node.inputs;
  const { transposeA, transposeB } = node.attrs as Record<string, boolean>;
  if (matrix.kind !== 'constant' || matrix.dtype !== 'float32' || transposeA || transposeB) return false;
  const [channelsIn, channelsOut] = matrix.shape.slice(-2);
  const isSingle = sizeOf(matrix.shape) === channelsIn * channelsOut;
  if (!isSingle || sizeOf(matrix.shape) < large || !reorders(channelsIn) || !reorders(channelsOut))
    return false;
  const { picture, image } = rowsOf(lowering).get(a) ?? asRows(a, lowering);
  define(node.outputs[0], productOf({ a, x: image, matrix }, picture, lowering), lowering);
  return true;
};

/** Whether a product was not made yet and is of many rows that do not come in blocks: to reorder them takes longer than to add a bias. */
const isPlain = ({ picture: [batch, height, width], product }: Rows, lowering: Lowering): boolean =>
  product !== undefined &&
  !product.factors &&
  batch * height === 1 &&
  width > fewRows &&
  !rowsOf(lowering).has(product.a);

/** The product and its bias in tf.js's order. */
function plainProduct({ a, matrix, bias }: Product, lowering: Lowering): Name {
  const { graph } = lowering;
  const [channelsIn, channelsOut] = matrix.shape.slice(-2);
  const factor = graph.constant('float32', [channelsIn, channelsOut], matrix.data);
  const rows = lowering.reshape(lowering.use(a), [sizeOf(a.shape) / channelsIn, channelsIn]);
  return graph.op(
    'Gemm',
    bias ? [rows, factor, graph.constant('float32', [channelsOut], bias)] : [rows, factor],
  );
}

/** A value in tf.js's order as a blocked image: a picture of its own each where it was one of many pixels. */
function asRows(value: Value, lowering: Lowering): Rows {
  const channels = value.shape.at(-1)!;
  const pixels = sizeOf(value.shape) / channels;
  let source = value;
  while (source.kind === 'result' && source.node.kernel === 'Reshape' && source.shape.length !== 4)
    source = source.node.inputs.x;
  const [batch, height, width, last] = source.shape;
  const isPicture = source.shape.length === 4 && last === channels && height * width >= ownPicture;
  const picture: Picture = isPicture ? [batch, height, width] : [1, 1, pixels];
  const shape = [...picture, channels];
  const image = () =>
    lowering.op(
      'ReorderInput',
      [lowering.reshape(lowering.use(value), shape)],
      { channels_last: 1 },
      nchwcDomain,
    );
  return { picture, image };
}

function productOf(factors: Factors, picture: Picture, lowering: Lowering): Rows {
  const product = { ...factors, filter: once(() => filterOf(factors, lowering)) };
  const image = once(() => {
    const { inputs, attributes, bias } = convolutionOf(product, lowering);
    return lowering.op('Conv', bias ? [...inputs(), bias] : inputs(), attributes, nchwcDomain);
  });
  return { picture, product, image };
}

function convolutionOf({ x, filter, matrix, bias }: Product, lowering: Lowering) {
  const padded = new Float32Array(lowering.padded(matrix.shape.at(-1)!));
  if (bias) padded.set(bias);
  return {
    inputs: () => [x(), filter()],
    attributes: { kernel_shape: [1, 1] },
    bias: bias && lowering.graph.constant('float32', [padded.length], padded),
  };
}

function filterOf({ matrix, factors }: Factors, lowering: Lowering): Name {
  const { graph, target } = lowering;
  const [channelsIn, channelsOut] = matrix.shape.slice(-2);
  const isOurs = matrix.isOurs && lowering.usesOf(matrix) === 1 && !factors;
  const blocks =
    (isOurs
      ? inItsBlocks(matrix.data as Float32Array, [channelsIn, channelsOut], target.block)
      : undefined) ?? lowering.inBlocks(matrix, [1, 1, channelsIn, channelsOut], factors);
  const [inputs, outputs] = [channelsIn, channelsOut].map((channels) => lowering.padded(channels));
  return graph.constant('float32', [outputs, inputs, 1, 1], blocks);
}

/** The product that nothing but this kernel takes, and the constants for its columns, where a kernel's operands are these. */
function columnwise(
  { inputs: { a, b } }: Node,
  lowering: Lowering,
): { rows: Rows; product: Product; values: Float32Array } | undefined {
  const [value, constant] = b.kind === 'constant' ? [a, b] : [b, a];
  const rows = rowsOf(lowering).get(value);
  const isVector =
    constant.kind === 'constant' &&
    constant.dtype === 'float32' &&
    sizeOf(constant.shape) === value.shape.at(-1) &&
    constant.shape.at(-1) === value.shape.at(-1);
  if (!rows?.product || !isVector || lowering.usesOf(value) !== 1) return undefined;
  return { rows, product: rows.product, values: constant.data as Float32Array };
}

/** A product plus a bias. */
const add = (node: Node, lowering: Lowering): boolean => {
  const found = columnwise(node, lowering);
  if (!found) return false;
  const { rows, product, values } = found;
  const bias = product.bias ? values.map((each, at) => each + product.bias![at]) : values;
  define(node.outputs[0], productOf({ ...product, bias }, rows.picture, lowering), lowering);
  return true;
};

/** A product times a factor for every column. */
const scale = (node: Node, lowering: Lowering): boolean => {
  const found = columnwise(node, lowering);
  if (!found) return false;
  const { rows, product, values } = found;
  const times = (given: Float32Array) => given.map((each, at) => each * values[at]);
  const factors = product.factors ? times(product.factors) : values;
  const bias = product.bias && times(product.bias);
  define(node.outputs[0], productOf({ ...product, factors, bias }, rows.picture, lowering), lowering);
  return true;
};

/** The same rows under another shape. */
const reshape = (node: Node, lowering: Lowering): boolean => {
  const [x] = Object.values(node.inputs);
  const [output] = node.outputs;
  const rows = rowsOf(lowering).get(x);
  if (!rows || x.shape.at(-1) !== output.shape.at(-1)) return false;
  const { product, ...made } = rows;
  define(output, lowering.usesOf(x) === 1 ? rows : made, lowering);
  return true;
};

/** An activation of rows in blocks, which leaves zeros as they are. */
const activation =
  (type: 'Relu' | 'Gelu') =>
  (node: Node, lowering: Lowering): boolean => {
    const { x } = node.inputs;
    const [output] = node.outputs;
    const rows = rowsOf(lowering).get(x);
    if (!rows || isPlain(rows, lowering)) return false;
    const domain = type === 'Gelu' ? 'com.microsoft' : '';
    const image = once(() => lowering.op(type, [rows.image()], {}, domain));
    define(output, { picture: rows.picture, image }, lowering);
    return true;
  };

export const blockedProductRules = {
  BatchMatMul: batchMatMul,
  Add: add,
  Multiply: scale,
  Reshape: reshape,
  Relu: activation('Relu'),
  Gelu: activation('Gelu'),
};
