/** Filters and matrices whose values are known, brought into blocks before there is a graph. */
import { filterBlocks } from './filters.ts';

/** Input channels that are moved together: a few lines of a wide matrix stay in the cache. */
const tile = 64;

/**
 * A filter [height, width, in, out] as [out/b, in/b, height, width, b in, b out], filled up with zeros; times a factor for every
 * output channel where given.
 */
export function inFilterBlocks(
  values: Float32Array,
  shape: readonly number[],
  block: number,
  factors?: Float32Array,
): Float32Array {
  const [height, width, channelsIn, channelsOut] = shape;
  const area = height * width;
  const blocksIn = Math.ceil(channelsIn / block);
  const blocks = new Float32Array(filterBlocks(shape, block) * block ** 2);
  for (let first = 0; first < channelsIn; first += tile)
    for (let output = 0; output < channelsOut; output += block) {
      const count = Math.min(block, channelsOut - output);
      for (let position = 0; position < area; position++)
        for (let input = first; input < Math.min(channelsIn, first + tile); input++) {
          const from = (position * channelsIn + input) * channelsOut + output;
          const square = ((output / block) * blocksIn + Math.floor(input / block)) * area + position;
          const to = (square * block + (input % block)) * block;
          if (factors)
            for (let index = 0; index < count; index++)
              blocks[to + index] = values[from + index] * factors[output + index];
          else for (let index = 0; index < count; index++) blocks[to + index] = values[from + index];
        }
    }
  return blocks;
}

/**
 * A matrix [in, out] like a 1×1 filter, [out/b, in, b], in the memory that it has. Undefined where that cannot be done by squares of
 * out/b × out/b pieces of b floats.
 */
export function inItsBlocks(
  values: Float32Array,
  [channelsIn, channelsOut]: readonly number[],
  block: number,
): Float32Array | undefined {
  const side = channelsOut / block;
  const squares = channelsIn / side;
  if (channelsIn % block > 0 || !Number.isInteger(side) || !Number.isInteger(squares)) return undefined;
  for (let square = 0; square < squares; square++)
    turnSquare(values.subarray(square * side * channelsOut, (square + 1) * side * channelsOut), side, block);
  turnRuns(values, [squares, side], side * block);
  return values;
}

/** Exchanges rows and columns of [side, side] pieces of so many floats. */
function turnSquare(values: Float32Array, side: number, piece: number): void {
  for (let top = 0; top < side; top += tile)
    for (let left = top; left < side; left += tile)
      for (let row = top; row < Math.min(side, top + tile); row++)
        for (let column = Math.max(left, row + 1); column < Math.min(side, left + tile); column++) {
          const [a, b] = [(row * side + column) * piece, (column * side + row) * piece];
          for (let index = 0; index < piece; index++) {
            const kept = values[a + index];
            values[a + index] = values[b + index];
            values[b + index] = kept;
          }
        }
}

/** Brings runs of so many floats from [rows, columns] to [columns, rows], each along the cycle of places that it belongs to. */
function turnRuns(values: Float32Array, [rows, columns]: readonly number[], run: number): void {
  const done = new Uint8Array(rows * columns);
  let [held, next] = [new Float32Array(run), new Float32Array(run)];
  const at = (place: number) => values.subarray(place * run, (place + 1) * run);
  for (let start = 0; start < done.length; start++) {
    if (done[start]) continue;
    held.set(at(start));
    let place = start;
    do {
      place = (place % columns) * rows + Math.floor(place / columns);
      next.set(at(place));
      at(place).set(held);
      [held, next] = [next, held];
      done[place] = 1;
    } while (place !== start);
  }
}
