import type { Neighbors } from './nearest-neighbors.ts';

/** Edges in both directions, with how surely they are there: 0 to 1. */
export interface FuzzyGraph {
  heads: Int32Array;
  tails: Int32Array;
  weights: Float32Array;
  points: number;
}

const rounds = 64;
const tolerance = 1e-5;
/** No bandwidth is smaller than this share of the mean distance. */
const smallestShare = 1e-3;

/**
 * The fuzzy simplicial set of points (McInnes, Healy, Melville, «UMAP», 2018, algorithms 2 and 3): i knows its neighbor j with
 * w_ij = exp(−max(0, d_ij − ρ_i) / σ_i), ρ_i its nearest distance above 0, σ_i so that Σ_j w_ij = log2(neighbors, itself included); an
 * edge is there if either knows the other: w_ij + w_ji − w_ij w_ji.
 */
export function fuzzyGraph({ points, distances, count }: Neighbors): FuzzyGraph {
  const rows = points.length / count;
  const known = new Float32Array(points.length);
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
  for (let i = 0; i < rows; i++) {
    const own = distances.subarray(i * count, (i + 1) * count);
    const nearest = own.find((distance) => distance > 0) ?? 0;
    const ownMean = own.reduce((sum, distance) => sum + distance, 0) / (count + 1);
    const width = Math.max(bandwidth(own, nearest), smallestShare * (nearest > 0 ? ownMean : mean));
    for (let k = 0; k < count; k++)
      known[i * count + k] = own[k] <= nearest ? 1 : Math.exp(-(own[k] - nearest) / width);
  }
  return united(points, known, count);
}

/** σ by bisection. */
function bandwidth(distances: Float32Array, nearest: number): number {
  const target = Math.log2(distances.length + 1);
  let [low, high, width] = [0, Number.POSITIVE_INFINITY, 1];
  for (let round = 0; round < rounds; round++) {
    const sum = distances.reduce(
      (all, distance) => all + (distance > nearest ? Math.exp(-(distance - nearest) / width) : 1),
      0,
    );
    if (Math.abs(sum - target) < tolerance) break;
    if (sum > target) high = width;
    else low = width;
    width = high === Number.POSITIVE_INFINITY ? 2 * width : (low + high) / 2;
  }
  return width;
}

function united(points: Int32Array, known: Float32Array, count: number): FuzzyGraph {
  const most = 2 * points.length;
  const [heads, tails, weights] = [new Int32Array(most), new Int32Array(most), new Float32Array(most)];
  let edges = 0;
  const add = (head: number, tail: number, weight: number) => {
    heads[edges] = head;
    tails[edges] = tail;
    weights[edges++] = weight;
  };
  for (let at = 0; at < points.length; at++) {
    const [i, j] = [Math.floor(at / count), points[at]];
    const back = points.subarray(j * count, (j + 1) * count).indexOf(i);
    // Where both know each other, the edge is made once: by the first.
    if (back >= 0 && j < i) continue;
    const returned = back < 0 ? 0 : known[j * count + back];
    const weight = known[at] + returned - known[at] * returned;
    add(i, j, weight);
    add(j, i, weight);
  }
  const cut = <T extends Int32Array | Float32Array>(list: T): T => list.slice(0, edges) as T;
  return { heads: cut(heads), tails: cut(tails), weights: cut(weights), points: points.length / count };
}
