/** Pooling on blocked images, and its gradients. */
import type { Node, Value } from '../trace/ir.ts';
import { formsOf } from './blocked-forms.ts';
import type { Lowering } from './lowering.ts';
import { type Name, nchwcDomain, onnxTypes } from './onnx-graph.ts';
import { type Picking, pickPixels } from './pixels.ts';
import { attributesOf, type Geometry, interleave, poolGeometry } from './windows.ts';

const pool =
  (type: 'MaxPool' | 'AveragePool') =>
  (node: Node, lowering: Lowering): boolean => {
    const { x } = node.inputs;
    if (!lowering.isBlocked(x)) return false;
    const attributes = attributesOf(poolGeometry(node, x.shape));
    const name = lowering.op(type, [lowering.use(x, 'blocked')], attributes, nchwcDomain);
    lowering.define(node.outputs[0], name, 'blocked');
    return true;
  };

/** Of windows side by side that cover the image every pixel gets its window's share. */
const avgPoolGradient = (node: Node, lowering: Lowering): boolean => {
  const { dy, input } = node.inputs;
  if (!lowering.isBlocked(dy)) return false;
  const { inHeight, inWidth, outHeight, outWidth, ...windows } = poolGeometry(node, input.shape);
  const { strideHeight, strideWidth, filterHeight, filterWidth } = windows;
  const sideBySide = filterHeight === strideHeight && filterWidth === strideWidth;
  if (!sideBySide || inHeight !== outHeight * strideHeight || inWidth !== outWidth * strideWidth)
    return false;
  const attributes = { scales: [1, 1, strideHeight, strideWidth], mode: 'nearest' };
  const x = lowering.op('Upsample', [lowering.use(dy, 'blocked')], attributes, nchwcDomain);
  const share = 1 / (filterHeight * filterWidth);
  const scale = lowering.graph.filled([lowering.padded(dy.shape[3])], share, 'float32');
  formsOf(lowering).define(node.outputs[0], { kind: 'affine', x, scale });
  return true;
};

/** Results of ReLUs: no pixel is below zero, and a gradient that reaches a zero ends in ReLU's gradient. */
const isActivated = (value: Value): boolean =>
  value.kind === 'result' &&
  (value.node.kernel.startsWith('Relu') ||
    (value.node.kernel === 'Concat' && Object.values(value.node.inputs).every(isActivated)));

/**
 * As the general rule, for activated images: a window whose maximum is zero may then give its gradient to a pixel of the
 * padding, which is read as zero. Whatever no other position took belongs to the last one.
 */
const maxPoolGradient = (node: Node, lowering: Lowering): boolean => {
  const { dy, input, output } = node.inputs;
  if (!lowering.isBlocked(input) || !isActivated(input)) return false;
  const geometry = poolGeometry(node, input.shape);
  const { inHeight, inWidth, strideHeight, strideWidth, filterHeight, filterWidth } = geometry;
  const [image, maximum] = [input, output].map((value) => lowering.use(value, 'blocked'));
  const channels = lowering.padded(geometry.inChannels);
  const positions = Array.from({ length: filterHeight * filterWidth }, (_, at) => axesOf(at, geometry));
  // All before the first product: ONNX Runtime makes what comes late in the graph early, and would hold all of them at once.
  const hits = positions.slice(0, -1).map(([rows, columns]) => {
    const pixels = pickPixels(image, channels, [rows.read, columns.read], lowering);
    return lowering.op('Cast', [lowering.op('Equal', [pixels, maximum])], { to: onnxTypes.float32 });
  });
  let remaining = lowering.use(dy, 'blocked');
  const phases: (Name | undefined)[][] = Array.from({ length: strideHeight }, () =>
    new Array(strideWidth).fill(undefined),
  );
  for (const [at, [rows, columns]] of positions.entries()) {
    const taken = at < hits.length ? lowering.op('Mul', [remaining, hits[at]]) : remaining;
    if (at < hits.length) remaining = lowering.op('Sub', [remaining, taken]);
    const sum = phases[rows.phase][columns.phase];
    phases[rows.phase][columns.phase] = pickPixels(
      taken,
      channels,
      [rows.write, columns.write],
      lowering,
      sum,
    );
  }
  const { block } = lowering.target;
  const outer = (geometry.batchSize * channels) / block;
  const [rows, columns] = [Math.ceil(inHeight / strideHeight), Math.ceil(inWidth / strideWidth)];
  const gradient = interleave(phases, [outer, rows, columns, block], lowering);
  const [height, width] = [rows * strideHeight, columns * strideWidth];
  // What the last phases have beyond the image is padding.
  const inside = pickPixels(
    lowering.reshape(gradient, [geometry.batchSize, channels, height, width]),
    channels,
    [
      { from: height, to: inHeight, stride: 1, offset: 0 },
      { from: width, to: inWidth, stride: 1, offset: 0 },
    ],
    lowering,
  );
  lowering.define(node.outputs[0], inside, 'blocked');
  return true;
};

/** Both axes of a window position: which pixels it reads, and of which phase of the stride it writes which pixels. */
function axesOf(position: number, geometry: Geometry) {
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = geometry;
  return [
    axisOf(Math.floor(position / geometry.filterWidth) - padInfo.top, inHeight, outHeight, strideHeight),
    axisOf((position % geometry.filterWidth) - padInfo.left, inWidth, outWidth, strideWidth),
  ] as const;
}

/** Window o reads pixel stride·o + offset, which is pixel o + shift of its phase. */
function axisOf(offset: number, side: number, windows: number, stride: number) {
  const shift = Math.floor(offset / stride);
  const read: Picking = { from: side, to: windows, stride, offset };
  const write: Picking = { from: windows, to: Math.ceil(side / stride), stride: 1, offset: -shift };
  return { phase: offset - shift * stride, read, write };
}

export const blockedPoolingRules = {
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  MaxPoolGrad: maxPoolGradient,
  AvgPoolGrad: avgPoolGradient,
};
