/** PyTorch's element order and tf.js's: each tensor says which of its axes tf.js wants where. */
import { transposed } from '../engine/transposed.ts';
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
const permute = (values: Float32Array, shape: number[], order: number[]): Float32Array =>
  order.every((axis, index) => axis === index)
    ? values
    : transposed(values, shape, order, new Float32Array(values.length));
