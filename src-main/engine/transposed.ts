import type { Values } from './engine.ts';

/** Side of the squares in which values are moved: both of them stay in the cache. */
const tile = 32;

/** Fills `result`, or its beginning, with a row-major tensor whose axes are in another order. */
export function transposed<V extends Values>(
  values: V,
  shape: readonly number[],
  order: readonly number[],
  result: V,
): V {
  const stridesOf = (extents: readonly number[]) =>
    extents.map((_, axis) => extents.slice(axis + 1).reduce((size, extent) => size * extent, 1));
  const strides = stridesOf(shape);
  const strideInResult = new Map(
    stridesOf(order.map((axis) => shape[axis])).map((stride, place) => [order[place], stride]),
  );
  const step = (axis: number) => ({
    extent: shape[axis],
    from: strides[axis],
    to: strideInResult.get(axis)!,
  });
  const one = { extent: 1, from: 0, to: 0 };
  // Neighbors in what is given, and neighbors in the result.
  const [given, made] = [shape.length - 1, order.at(-1)];
  const last = made === undefined ? one : step(made);
  const first = made === undefined || made === given ? one : step(given);
  const others = order.filter((axis) => axis !== given && axis !== made).map(step);

  const square = (from: number, to: number): void => {
    for (let i0 = 0; i0 < first.extent; i0 += tile)
      for (let j0 = 0; j0 < last.extent; j0 += tile) {
        const [iEnd, jEnd] = [Math.min(first.extent, i0 + tile), Math.min(last.extent, j0 + tile)];
        for (let i = i0; i < iEnd; i++)
          for (let j = j0; j < jEnd; j++)
            result[to + i * first.to + j * last.to] = values[from + i * first.from + j * last.from];
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
