import { expect, test } from 'vitest';
import { normalOf, randomOf } from '../../src-main/data/random.ts';
import { fuzzyGraph } from '../../src-renderer/map/umap/fuzzy-graph.ts';
import { nearestNeighbors } from '../../src-renderer/map/umap/nearest-neighbors.ts';
import { unfold } from '../../src-renderer/map/umap/unfold.ts';
import { repeatableRandom } from '../../src-shared/repeatable-random.ts';

const components = 10;
const classes = 8;
const count = 14;

/** Clouds around a place for each class, whose components vary less and less. */
function clouds(rows: number): Float32Array {
  const random = randomOf(3, 'clouds');
  const spread = Array.from({ length: components }, (_, k) => 3 / Math.sqrt(k + 1));
  const middles = Array.from({ length: classes }, () => spread.map((width) => width * normalOf(random)));
  return Float32Array.from(
    { length: rows * components },
    (_, at) =>
      middles[Math.floor(at / components) % classes][at % components] +
      0.4 * spread[at % components] * normalOf(random),
  );
}

/** All other points by their distance. */
function byDistance(
  values: Float32Array,
  width: number,
  point: number,
): { other: number; distance: number }[] {
  const rows = values.length / width;
  return Array.from({ length: rows }, (_, other) => {
    let square = 0;
    for (let k = 0; k < width; k++) square += (values[point * width + k] - values[other * width + k]) ** 2;
    return { other, distance: Math.sqrt(square) };
  })
    .filter(({ other }) => other !== point)
    .sort((a, b) => a.distance - b.distance);
}

test('neighbors are those that all distances give, equal points among them', () => {
  const values = clouds(400);
  values.set(values.subarray(0, components), 5 * components);
  const { points, distances } = nearestNeighbors(values, components, count);
  for (let point = 0; point < 400; point++) {
    const own = [...distances.subarray(point * count, (point + 1) * count)];
    const exact = byDistance(values, components, point).slice(0, count);
    // Both add float32 differences in float64, and one rounds the result to float32.
    for (const [k, { distance }] of exact.entries()) expect(own[k]).toBeCloseTo(distance, 5);
    expect(new Set(points.subarray(point * count, (point + 1) * count)).size).toBe(count);
  }
  expect(points[0]).toBe(5);
  expect(points[5 * count]).toBe(0);
});

test('every point knows its neighbors to log2 of their number, and an edge is there if either end knows the other', () => {
  // On a line no neighbor's nearest is another than at distance 1, and the ends have the rest at one side.
  const line = Float32Array.from({ length: 3 }, (_, i) => [0, 1, 3][i]);
  const { heads, tails, weights } = fuzzyGraph(nearestNeighbors(line, 1, 2));
  const of = (head: number, tail: number) =>
    weights[[...heads].findIndex((one, at) => one === head && tails[at] === tail)];
  // Each knows its nearest with 1, so the other with log2(3) − 1.
  const second = Math.log2(3) - 1;
  expect(of(0, 1)).toBeCloseTo(1, 5);
  expect(of(1, 2)).toBeCloseTo(1, 4);
  expect(of(0, 2)).toBeCloseTo(2 * second - second * second, 4);
  expect(of(2, 0)).toBe(of(0, 2));
  expect(heads).toHaveLength(6);
});

test('clouds that lie over each other in two components lie apart unfolded, the same way every time', () => {
  const rows = 400;
  const values = clouds(rows);
  const graph = fuzzyGraph(nearestNeighbors(values, components, count));
  const begin = () =>
    Float32Array.from({ length: 2 * rows }, (_, i) => values[(i >> 1) * components + (i & 1)]);
  const unfolded = () => {
    const places = begin();
    for (const _ of unfold(graph, places, 200, repeatableRandom(1)));
    return places;
  };
  const places = unfolded();
  expect(unfolded()).toEqual(places);
  /** Of five nearest each, the share of the same class. */
  const purity = (of: Float32Array) => {
    let same = 0;
    for (let point = 0; point < rows; point++)
      for (const { other } of byDistance(of, 2, point).slice(0, 5))
        same += Number(other % classes === point % classes);
    return same / (5 * rows);
  };
  expect(purity(begin())).toBeLessThan(0.8);
  expect(purity(places)).toBeGreaterThan(0.97);
});
