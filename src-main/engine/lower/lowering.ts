import { type ElementType, type Node, sizeOf, type Value } from '../trace/ir.ts';
import { type Name, OnnxGraph } from './onnx-graph.ts';

/** How a rank-4 tensor lies in memory. Tensors of other ranks always lie as tf.js has them (`nhwc`). */
export type Layout = 'nhwc' | 'nchw';

/** What the graph is for; rules choose their formulation by it. */
export interface Target {
  provider: 'cpu' | 'gpu';
  /** Layout that convolutions leave their results in; other kernels follow their inputs. */
  layout: Layout;
}

/** A lowering rule: emits ONNX nodes for one kernel call and defines its outputs. */
export type Rule = (node: Node, lowering: Lowering) => void;

const toNchw = [0, 3, 1, 2];
const toNhwc = [0, 2, 3, 1];

/** The ONNX side of a trace while it is being lowered: which names stand for which values, in which layouts. */
export class Lowering {
  readonly graph = new OnnxGraph();
  readonly target: Target;
  #names = new Map<Value, Map<Layout, Name>>();

  constructor(target: Target) {
    this.target = target;
  }

  /** Says which ONNX tensor holds `value`, in the given layout. */
  define(value: Value, name: Name, layout: Layout = 'nhwc'): void {
    const names = this.#names.get(value) ?? new Map<Layout, Name>();
    names.set(layout, name);
    this.#names.set(value, names);
  }

  /** The layout in which `value` was produced. */
  layoutOf(value: Value): Layout {
    const names = this.#names.get(value);
    return names ? [...names.keys()][0] : 'nhwc';
  }

  /** The ONNX tensor of `value` in the given layout, converted once where needed. */
  use(value: Value, layout: Layout = 'nhwc'): Name {
    const wanted = value.shape.length === 4 ? layout : 'nhwc';
    const known = this.#names.get(value)?.get(wanted);
    if (known) return known;
    let name: Name;
    if (!this.#names.has(value) && value.kind === 'constant' && wanted === 'nhwc')
      name =
        value.fill === null
          ? this.graph.constant(value.dtype, value.shape, value.data)
          : this.graph.filled(value.shape, value.fill, value.dtype);
    else {
      const from = this.use(value, wanted === 'nhwc' ? 'nchw' : 'nhwc');
      name = this.permute(
        from,
        this.shapeIn(value, wanted === 'nhwc' ? 'nchw' : 'nhwc'),
        wanted === 'nhwc' ? toNhwc : toNchw,
      );
    }
    this.define(value, name, wanted);
    return name;
  }

  /** The shape of `value` as it lies in memory in the given layout. */
  shapeIn(value: Value, layout: Layout): number[] {
    if (value.shape.length !== 4 || layout === 'nhwc') return [...value.shape];
    return toNchw.map((axis) => value.shape[axis]);
  }

  op(...args: Parameters<OnnxGraph['op']>): Name {
    return this.graph.op(...args);
  }

  reshape(name: Name, shape: readonly number[]): Name {
    return this.graph.op('Reshape', [name, this.graph.ints(shape)]);
  }

  /** Transposes a tensor of known shape; moving axes of extent 1 only is a reshape. */
  permute(name: Name, shape: readonly number[], order: readonly number[]): Name {
    if (order.every((axis, index) => axis === index)) return name;
    const moved = order.filter((axis) => shape[axis] > 1);
    if (moved.every((axis, index) => index === 0 || axis > moved[index - 1]))
      return this.reshape(
        name,
        order.map((axis) => shape[axis]),
      );
    return this.graph.op('Transpose', [name], { perm: order });
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

  /** `value` as a matrix whose columns are the last axis. */
  rows(value: Value): Name {
    const columns = value.shape.at(-1)!;
    return this.reshape(this.use(value), [sizeOf(value.shape) / columns, columns]);
  }
}
