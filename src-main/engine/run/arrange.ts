import type { Values } from '../engine.ts';
import { transposed } from '../transposed.ts';
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
