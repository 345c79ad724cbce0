import { type ConstantValue, type ElementType, type Node, sizeOf, type Value } from '../trace/ir.ts';
import { transposed } from '../transposed.ts';
import { convertFilter, type FilterLayout, filterBlocks, isInBlocks } from './filters.ts';
import { giveBack } from './give-back.ts';
import { inFilterBlocks } from './known-filters.ts';
import { type Name, nchwcDomain, OnnxGraph, type OpenExtent, onnxTypes } from './onnx-graph.ts';

/**
 * How a rank-4 tensor lies in memory: as an image, or as a filter (filters.ts). Tensors of other ranks always lie as tf.js
 * has them (`nhwc`). `blocked` is ONNX Runtime's NCHWc: [batch, channels/block, height, width, block], channels padded to
 * whole blocks; the graph declares such tensors as [batch, padded channels, height, width].
 */
export type Layout = 'nhwc' | 'nchw' | 'blocked' | FilterLayout;

/** What the graph is for; rules choose their formulation by it. */
export interface Target {
  provider: 'cpu' | 'gpu';
  /** Layout that convolutions leave their results in; other kernels follow their inputs. */
  layout: Layout;
  /** Floats in a block of the `blocked` layout on this processor. */
  block: number;
  /** Whether images that the forward pass keeps for the gradient are stored in half precision. */
  halfStorage?: boolean;
  /** Given where the graph is for other programs, and is to take any number of images, or texts of any length. */
  open?: readonly OpenExtent[];
  /** Whether such a graph is fed whole numbers of 64 bits, whatever the program's batch holds: as networks for texts are elsewhere. */
  integers?: boolean;
}

/** A lowering rule: emits ONNX nodes for one kernel call and defines its outputs. */
export type Rule = (node: Node, lowering: Lowering) => void;

/** Elements of a row from which on picking rows is faster than a transpose. */
const longRow = 128;

const toNchw = [0, 3, 1, 2];
const toNhwc = [0, 2, 3, 1];

/** The ONNX side of a trace while it is being lowered: which names stand for which values, in which layouts. */
export class Lowering {
  readonly graph: OnnxGraph;
  readonly target: Target;
  #names = new Map<Value, Map<Layout, Name>>();
  #deferred = new Map<Value, { layout: Layout; make: () => Name }>();

  /** Constants made of others, by what they are. */
  readonly #remade = new Map<string, Name>();
  readonly #uses: ReadonlyMap<Value, number>;

  constructor(target: Target, uses: ReadonlyMap<Value, number> = new Map()) {
    this.graph = new OnnxGraph(target.open);
    this.target = target;
    this.#uses = uses;
  }

  /** What filters are brought into blocks with. */
  get maker() {
    return { graph: this.graph, block: this.target.block };
  }

  /** How many kernels and results of the program take `value`. */
  usesOf(value: Value): number {
    return this.#uses.get(value) ?? 0;
  }

  /** Says which ONNX tensor holds `value`, in the given layout. */
  define(value: Value, name: Name, layout: Layout = 'nhwc'): void {
    const names = this.#names.get(value) ?? new Map<Layout, Name>();
    names.set(layout, name);
    this.#names.set(value, names);
  }

  /** Leaves `value` unmade until something uses it; rules that know its form may never need to. */
  defer(value: Value, layout: Layout, make: () => Name): void {
    this.#deferred.set(value, { layout, make });
  }

  /** The layout in which `value` was produced. */
  layoutOf(value: Value): Layout {
    const deferred = this.#deferred.get(value);
    if (deferred) return deferred.layout;
    const names = this.#names.get(value);
    return names ? [...names.keys()][0] : 'nhwc';
  }

  /** Whether `value` is an image of floats that was produced in blocks. */
  isBlocked(value: Value): boolean {
    return value.shape.length === 4 && value.dtype === 'float32' && this.layoutOf(value) === 'blocked';
  }

  /** The ONNX tensor of `value` in the given layout, converted once where needed. */
  use(value: Value, layout: Layout = 'nhwc'): Name {
    const wanted = value.shape.length === 4 ? layout : 'nhwc';
    const deferred = this.#deferred.get(value);
    if (deferred) {
      this.#deferred.delete(value);
      this.define(value, deferred.make(), deferred.layout);
    }
    const known = this.#names.get(value)?.get(wanted);
    if (known) return known;
    const unseen = !this.#names.has(value);
    const name = unseen && wanted === 'nhwc' ? this.#constant(value) : this.#convert(value, wanted);
    this.define(value, name, wanted);
    return name;
  }

  #constant(value: Value): Name {
    if (value.kind !== 'constant')
      throw new Error(`A value was used before it was lowered (${value.kind} ${value.id}).`);
    const { shape, dtype, data, fill, factors } = value;
    if (fill !== null) return this.graph.filled(shape, fill, dtype);
    const scaled =
      factors && (data as Float32Array).map((each, index) => each * factors[index % factors.length]);
    return this.graph.constant(dtype, shape, scaled ?? data);
  }

  #convert(value: Value, to: Layout): Name {
    if (value.kind === 'constant' && value.dtype === 'float32' && to === 'filter')
      return this.graph.constant('float32', this.shapeIn(value, to), this.inBlocks(value, value.shape));
    const [made] = this.#names.get(value)?.keys() ?? ['nhwc' as const];
    // Layouts of images and of filters meet in tf.js's order.
    const from = to === 'nhwc' || isInBlocks(made) === isInBlocks(to) ? made : 'nhwc';
    const x = this.use(value, from);
    if (isInBlocks(from) || isInBlocks(to))
      return convertFilter(x, value.shape, from as FilterLayout, to as FilterLayout, this.maker);
    if (to === 'blocked') return this.#toBlocked(x, value, from === 'nhwc');
    if (from === 'blocked') return this.#fromBlocked(x, value, to === 'nhwc');
    return this.permute(x, this.shapeIn(value, from), to === 'nhwc' ? toNhwc : toNchw);
  }

  /** A constant's values as a filter of that shape in blocks. Its own memory is given back where nothing else takes it. */
  inBlocks(value: ConstantValue, shape: readonly number[], factors = value.factors): Float32Array {
    const values = value.data as Float32Array;
    const blocks = inFilterBlocks(values, shape, this.target.block, factors);
    if (value.isOurs && this.usesOf(value) === 1) giveBack(values);
    return blocks;
  }

  #toBlocked(x: Name, value: Value, channelsLast: boolean): Name {
    return this.#asFloat(x, value.dtype, (name) =>
      this.op('ReorderInput', [name], { channels_last: Number(channelsLast) }, nchwcDomain),
    );
  }

  #fromBlocked(x: Name, value: Value, channelsLast: boolean): Name {
    const attributes = { channels: value.shape[3], channels_last: Number(channelsLast) };
    return this.#asFloat(x, value.dtype, (name) => this.op('ReorderOutput', [name], attributes, nchwcDomain));
  }

  /** ONNX Runtime reorders floats only. */
  #asFloat(x: Name, dtype: ElementType, reorder: (x: Name) => Name): Name {
    if (dtype === 'float32') return reorder(x);
    const moved = reorder(this.op('Cast', [x], { to: onnxTypes.float32 }));
    return this.op('Cast', [moved], { to: onnxTypes[dtype] });
  }

  /** Channels of a blocked tensor: those of `count`, filled up to whole blocks. */
  padded(count: number): number {
    return Math.ceil(count / this.target.block) * this.target.block;
  }

  /** The shape of `value` as it lies in memory in the given layout. */
  shapeIn(value: Pick<Value, 'shape'>, layout: Layout): number[] {
    if (value.shape.length !== 4 || layout === 'nhwc') return [...value.shape];
    if (isInBlocks(layout)) return [filterBlocks(value.shape, this.target.block), this.target.block ** 2];
    const shape = toNchw.map((axis) => value.shape[axis]);
    return layout === 'blocked' ? shape.with(1, this.padded(shape[1])) : shape;
  }

  op(...args: Parameters<OnnxGraph['op']>): Name {
    return this.graph.op(...args);
  }

  reshape(name: Name, shape: readonly number[]): Name {
    const constant = this.graph.largeConstant(name);
    if (constant) return this.#asConstant(`${name} as ${shape}`, shape, () => constant);
    return this.graph.op('Reshape', [name, this.graph.reshapeTo(shape)]);
  }

  /** Transposes a tensor of known shape; moving axes of extent 1 only is a reshape. */
  permute(name: Name, shape: readonly number[], order: readonly number[]): Name {
    if (order.every((axis, index) => axis === index)) return name;
    const extents = order.map((axis) => shape[axis]);
    const constant = this.graph.largeConstant(name);
    if (constant)
      return this.#asConstant(`${name} ${shape} in order ${order}`, extents, () =>
        transposed(constant, shape, order, new Float32Array(constant.length)),
      );
    const moved = order.filter((axis) => shape[axis] > 1);
    if (moved.every((axis, index) => index === 0 || axis > moved[index - 1]))
      return this.reshape(name, extents);
    const kept = order.findLastIndex((axis, index) => axis !== index) + 1;
    if (this.target.provider !== 'cpu' || this.target.open || sizeOf(shape.slice(kept)) < longRow)
      return this.graph.op('Transpose', [name], { perm: order });
    return this.reshape(this.#pickRows(name, shape, order, kept), extents);
  }

  /** A constant made of another one here, where the runtime would hold both, and more copies, while it opens the graph. */
  #asConstant(key: string, shape: readonly number[], make: () => Float32Array): Name {
    const known = this.#remade.get(key) ?? this.graph.constant('float32', shape, make());
    this.#remade.set(key, known);
    return known;
  }

  /** Transposes the first `kept` axes by picking whole rows of the others, which ONNX Runtime does in parallel. */
  #pickRows(name: Name, shape: readonly number[], order: readonly number[], kept: number): Name {
    const strides = shape.slice(0, kept).map((_, axis) => sizeOf(shape.slice(axis + 1, kept)));
    let rows = [0];
    for (const axis of order.slice(0, kept))
      rows = rows.flatMap((row) =>
        Array.from({ length: shape[axis] }, (_, index) => row + index * strides[axis]),
      );
    const matrix = this.reshape(name, [rows.length, sizeOf(shape.slice(kept))]);
    return this.graph.pickRows(matrix, rows.length, rows);
  }

  /** A slice [begin, end) with steps along the given axes. */
  slice(
    name: Name,
    axes: readonly number[],
    begin: readonly number[],
    end: readonly number[],
    steps: readonly number[] = axes.map(() => 1),
  ): Name {
    const { graph } = this;
    return graph.op('Slice', [name, graph.ints(begin), graph.ints(end), graph.ints(axes), graph.ints(steps)]);
  }

  /** Pads with a constant; returns the input where nothing is padded. */
  pad(
    name: Name,
    paddings: readonly (readonly [number, number])[],
    value = 0,
    dtype: ElementType = 'float32',
  ): Name {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return name;
    const pads = [...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)];
    return this.graph.op('Pad', [name, this.graph.ints(pads), this.graph.scalar(value, dtype)]);
  }

  /** The matrix product of two matrices, either transposed. */
  product(a: Name, b: Name, transposeA = false, transposeB = false): Name {
    return this.graph.op('Gemm', [a, b], { transA: Number(transposeA), transB: Number(transposeB) });
  }

  /** The sum of so many rows, [rows, columns] → [1, columns]: a product with ones, which sums in parallel. */
  sumRows(name: Name, rows: number, columns: number): Name {
    const matrix = this.reshape(name, [rows, columns]);
    return rows === 1 ? matrix : this.product(this.graph.filled([1, rows], 1, 'float32'), matrix);
  }

  /** `value` as a matrix whose columns are the last axis. */
  rows(value: Value): Name {
    const columns = value.shape.at(-1)!;
    return this.reshape(this.use(value), [sizeOf(value.shape) / columns, columns]);
  }
}
