/** PyTorch's element order and tf.js's: each tensor says which of its axes tf.js wants where. */
import type { TensorDescription } from './backbone.ts';

const inverse = (order: number[]): number[] => order.map((_, axis) => order.indexOf(axis));

const viewOf = ({ view, shape }: TensorDescription): number[] => view ?? shape;

/** The shape a tensor has in tf.js. */
export const tfShape = (tensor: TensorDescription): number[] =>
  tensor.order.map((axis) => viewOf(tensor)[axis]);

/** PyTorch's element order → tf.js's. */
export const toTf = (tensor: TensorDescription, values: Float32Array): Float32Array =>
  permute(values, viewOf(tensor), tensor.order);

/** tf.js's element order → PyTorch's. */
export const toTorch = (tensor: TensorDescription, values: Float32Array): Float32Array =>
  permute(values, tfShape(tensor), inverse(tensor.order));

/** Reorders row-major `values` of `shape` so that axis i of the result is axis order[i] of the input. */
function permute(values: Float32Array, shape: number[], order: number[]): Float32Array {
  if (order.every((axis, index) => axis === index)) return values;
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
  );
  const result = new Float32Array(values.length);
  const extents = order.map((axis) => shape[axis]);
  const steps = order.map((axis) => strides[axis]);
  const inner = order.length - 1;
  const [length, stride] = [extents[inner], steps[inner]];
  const index = new Array<number>(order.length).fill(0);
  let source = 0;
  for (let target = 0; target < result.length; target += length) {
    for (let i = 0; i < length; i++) result[target + i] = values[source + i * stride];
    for (let axis = inner - 1; axis >= 0; axis--) {
      source += steps[axis];
      if (++index[axis] < extents[axis]) break;
      source -= steps[axis] * extents[axis];
      index[axis] = 0;
    }
  }
  return result;
}
