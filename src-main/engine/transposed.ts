import type { Values } from './engine.ts';
import type { Reals } from './reals.ts';

/** Side of the squares in which values are moved: both of them stay in the cache. */
const tile = 32;

/** An axis: its length, and how far apart its neighbors lie in what is given and in the result. */
interface Axis {
  extent: number;
  from: number;
  to: number;
}
const one: Axis = { extent: 1, from: 0, to: 0 };

/** Fills `result`, or its beginning, with a row-major tensor whose axes are in another order. */
export function transposed<V extends Values | Reals>(
  values: V,
  shape: readonly number[],
  order: readonly number[],
  result: V,
): V {
  const axes = axesOf(shape, order);
  // Neighbors in the result, and neighbors in what is given.
  const last = axes.at(-1) ?? one;
  const first = axes.slice(0, -1).toSorted((a, b) => a.from - b.from)[0] ?? one;
  const others = axes.filter((axis) => axis !== first && axis !== last);

  const square = (from: number, to: number): void => {
    for (let i0 = 0; i0 < first.extent; i0 += tile)
      for (let j0 = 0; j0 < last.extent; j0 += tile) {
        const [iEnd, jEnd] = [Math.min(first.extent, i0 + tile), Math.min(last.extent, j0 + tile)];
        for (let i = i0; i < iEnd; i++) {
          let source = from + i * first.from + j0 * last.from;
          let target = to + i * first.to + j0 * last.to;
          for (let j = j0; j < jEnd; j++) {
            result[target] = values[source];
            source += last.from;
            target += last.to;
          }
        }
      }
  };
  const fill = (depth: number, from: number, to: number): void => {
    if (depth === others.length) square(from, to);
    else {
      const { extent, ...stride } = others[depth];
      for (let i = 0; i < extent; i++) fill(depth + 1, from + i * stride.from, to + i * stride.to);
    }
  };
  fill(0, 0, 0);
  return result;
}

/** The axes in the result's order, without those of length 1, those that stay neighbors taken together as one. */
function axesOf(shape: readonly number[], order: readonly number[]): Axis[] {
  const strides = (extents: readonly number[]) =>
    extents.map((_, axis) => extents.slice(axis + 1).reduce((size, extent) => size * extent, 1));
  const from = strides(shape);
  const to = strides(order.map((axis) => shape[axis]));
  const axes: Axis[] = [];
  for (const [place, axis] of order.entries()) {
    const next = { extent: shape[axis], from: from[axis], to: to[place] };
    if (next.extent === 1) continue;
    const before = axes.at(-1);
    if (before?.from === next.from * next.extent)
      axes[axes.length - 1] = { ...next, extent: before.extent * next.extent };
    else axes.push(next);
  }
  return axes;
}
