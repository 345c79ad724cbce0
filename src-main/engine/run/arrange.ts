import type { Values } from '../engine.ts';
import type { Port } from './session.ts';

/** Values in a program's order as a graph has them. The array itself where the orders are the same. */
export function arrange<V extends Values>(values: V, { arrangement }: Port): V {
  if (!arrangement) return values;
  const { split, order } = arrangement;
  return transposed(values, split, order);
}

/** Values as a graph has them in the program's order: a new array. */
export function restore<V extends Values>(values: V, { arrangement }: Port): V {
  if (!arrangement) return values.slice() as V;
  const { split, order } = arrangement;
  return transposed(
    values,
    order.map((axis) => split[axis]),
    split.map((_, axis) => order.indexOf(axis)),
  );
}

/** A new array with the axes of a row-major tensor in another order. */
function transposed<V extends Values>(values: V, shape: readonly number[], order: readonly number[]): V {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, extent) => size * extent, 1));
  const result = values.slice() as V;
  let at = 0;
  const fill = (depth: number, from: number): void => {
    const axis = order[depth];
    const [extent, stride] = [shape[axis], strides[axis]];
    if (depth < order.length - 1) for (let i = 0; i < extent; i++) fill(depth + 1, from + i * stride);
    else for (let i = 0; i < extent; i++) result[at++] = values[from + i * stride];
  };
  fill(0, 0);
  return result;
}
