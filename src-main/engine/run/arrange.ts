import type { Values } from '../engine.ts';
import { allocate, type Port } from './session.ts';

/** Brings values in a program's order into a graph's, where they are. `scratch` has room for as many. */
export function arrange(values: Values, { arrangement }: Port, scratch: Values): void {
  if (!arrangement) return;
  transposed(values, arrangement.split, arrangement.order, scratch);
  values.set(scratch.subarray(0, values.length));
}

/** Values as a graph has them in the program's order: a new array. */
export function restore(values: Values, port: Port): Values {
  if (!port.arrangement) return values.slice();
  const { split, order } = port.arrangement;
  return transposed(
    values,
    order.map((axis) => split[axis]),
    split.map((_, axis) => order.indexOf(axis)),
    allocate(port),
  );
}

/** Fills `result`, or its beginning, with a row-major tensor whose axes are in another order. */
function transposed(
  values: Values,
  shape: readonly number[],
  order: readonly number[],
  result: Values,
): Values {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((size, extent) => size * extent, 1));
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
