/**
 * How the curvature of a softmax couples classes, column by column of X [N, D]. With B_j = 1 + C Σ_i x_ij² (diag q_i − q_i q_iᵀ),
 * the block [K, K] of the Hessian that belongs to column j, this finds a scale s_j and a thin A_j with
 *   B_j⁻¹ ≈ diag s_j + A_jᵀ A_j.
 * A diagonal alone takes the sum of all classes, along which a softmax does not change, for as curved as anything else: with
 * it conjugate gradients on predictions of a network, where few columns are large in a sample, take two to four times as many steps.
 *
 * Samples of one label count as one, q̄ with the weight V = Σ x_ij², so that B_j keeps the sum over its heaviest labels,
 * U = √(C V) q̄, and of the others only the diagonal: B_j ≈ diag d − Uᵀ U, turned round by Woodbury's formula (Golub and Van
 * Loan 2013, Matrix Computations, section 2.1.4) with Cholesky's decomposition L Lᵀ = 1 − U diag(1/d) Uᵀ, which leaves
 * A = L⁻¹ U diag(1/d). It is positive definite since V q̄ q̄ᵀ is at most Σ x_ij² q_i q_iᵀ (Jensen's inequality).
 */
import type { BlockProducts, Blocks } from '../engine/block-products.ts';
import type { FixedMatrix } from '../engine/fixed-matrix.ts';
import { transposed } from '../engine/transposed.ts';

/** Labels are kept until what the others couple is at most this share of the block. */
const leftOut = 0.02;
/** A label that couples less than this, beside a decay of 1, is not kept. */
const smallestMass = 0.1;
/** A sample whose curvature in a column is smaller than the decay is left out there. */
const smallestCurvature = 1;
/** Elements of all factors: they are read twice in every step, which costs little as long as they fit a processor's cache. */
const mostElements = 2 ** 22;
/** Rounding could take a pivot below what the decay leaves. */
const smallestPivot = 1e-6;

/**
 * The inverses of the blocks as far as they are found, for distributions `q` [K, N] and labels [N]; `curvature` [K, D] is
 * (Q ∘ (1 − Q)) (X ∘ X). A column whose labels are fewer than another's has zeros in its factor.
 */
export async function coupleClasses(
  x: FixedMatrix,
  blocks: BlockProducts,
  labels: ArrayLike<number>,
  q: Float32Array,
  curvature: Float32Array,
  C: number,
): Promise<Blocks> {
  const { rows: N, columns: D } = x;
  const K = q.length / N;
  const heaviest = heaviestLabels(await couplings(x, labels, q, C), K, D);
  const rank = heaviest.reduce((most, { length }) => Math.max(most, length), 0);
  const coupled = [...heaviest.keys()].filter((j) => heaviest[j].length > 0);
  const count = coupled.length;

  const u = new Float32Array(count * rank * K);
  const scale = transposed(curvature, [K, D], [1, 0], new Float32Array(K * D));
  const diagonal = new Float64Array(scale.length);
  for (let at = 0; at < diagonal.length; at++) diagonal[at] = 1 + C * scale[at];
  const distributions = transposed(q, [K, N], [1, 0], new Float32Array(K * N));
  const places = placesOf(heaviest, coupled, K, rank);
  const squares = new Float64Array(N);
  const sum = new Float64Array(K);
  // Label by label, since the rows of one label's samples fit a processor's cache.
  for (const [label, ofLabel] of samplesOf(labels, K).entries())
    for (const { j, place } of places[label]) {
      let weight = 0;
      for (let s = 0; s < ofLabel.length; s++)
        weight += squares[s] = C * x.values.data[ofLabel[s] * D + j] ** 2;
      sum.fill(0);
      for (let s = 0; s < ofLabel.length; s++) {
        const square = squares[s];
        if (square < smallestCurvature) continue;
        for (let k = 0, from = ofLabel[s] * K, to = j * K; k < K; k++) {
          const mass = square * distributions[from + k];
          sum[k] += mass;
          diagonal[to + k] += mass * distributions[from + k];
        }
      }
      const root = Math.sqrt(weight);
      for (let k = 0, to = place * K; k < K; k++) u[to + k] = sum[k] / root;
    }
  for (let at = 0; at < scale.length; at++) scale[at] = 1 / diagonal[at];
  const factors = new Float32Array(u.length);
  if (count > 0) {
    const own = new Float32Array(count * K);
    for (const [c, j] of coupled.entries()) own.set(scale.subarray(j * K, (j + 1) * K), c * K);
    const rest = new Float32Array(count * rank * rank);
    await blocks.inner(u, own, rest);
    for (let c = 0; c < count; c++) invertCholesky(rest.subarray(c * rank ** 2, (c + 1) * rank ** 2), rank);
    await blocks.scaled(rest, u, own, factors);
  }
  return { scale, factored: BigInt64Array.from(coupled, BigInt), factors };
}

/** [K, D]: C Σ_i x_ij² (1 − ‖q_i‖²) over the samples of a label, what they couple in a column. */
async function couplings(x: FixedMatrix, labels: ArrayLike<number>, q: Float32Array, C: number) {
  const { rows: N, columns: D } = x;
  const K = q.length / N;
  const doubts = new Float32Array(q.length);
  for (let i = 0; i < N; i++) {
    let squares = 0;
    for (let k = 0; k < K; k++) squares += q[k * N + i] ** 2;
    doubts[labels[i] * N + i] = C * (1 - squares);
  }
  const masses = new Float32Array(K * D);
  await x.timesSquares(doubts, masses);
  return masses;
}

/** For every column the labels with the largest masses [K, D], as many as are worth it. */
function heaviestLabels(masses: Float32Array, K: number, D: number): number[][] {
  const left = new Float64Array(K);
  const isHeavy = (j: number): boolean => {
    for (let k = 0; k < K; k++) if (masses[k * D + j] >= smallestMass) return true;
    return false;
  };
  const heavy = Array.from({ length: D }, (_, j) => isHeavy(j)).filter(Boolean).length;
  const most = Math.min(K, Math.floor(mostElements / (K * heavy)));
  return Array.from({ length: D }, (_, j) => {
    let rest = 0;
    for (let k = 0; k < K; k++) rest += left[k] = masses[k * D + j];
    const enough = leftOut * (1 + rest);
    const labels: number[] = [];
    while (rest > enough && labels.length < most) {
      let top = 0;
      for (let k = 1; k < K; k++) if (left[k] > left[top]) top = k;
      if (left[top] < smallestMass) break;
      labels.push(top);
      rest -= left[top];
      left[top] = 0;
    }
    return labels;
  });
}

/** Samples of every label. */
function samplesOf(labels: ArrayLike<number>, K: number): number[][] {
  const samples: number[][] = Array.from({ length: K }, () => []);
  for (let i = 0; i < labels.length; i++) samples[labels[i]].push(i);
  return samples;
}

/** For every label the columns j that have it, and where its row of that column's factor is among all rows. */
function placesOf(labelsOfColumns: readonly number[][], coupled: readonly number[], K: number, rank: number) {
  const places: { j: number; place: number }[][] = Array.from({ length: K }, () => []);
  for (const [c, j] of coupled.entries())
    for (const [r, label] of labelsOfColumns[j].entries()) places[label].push({ j, place: c * rank + r });
  return places;
}

/** Replaces S [size, size] by the inverse of L, where L Lᵀ = 1 − S. */
function invertCholesky(s: Float32Array, size: number): void {
  const l = new Float64Array(size * size);
  const inverse = new Float64Array(size * size);
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let value = Number(r === c) - s[r * size + c];
      for (let t = 0; t < c; t++) value -= l[r * size + t] * l[c * size + t];
      l[r * size + c] = r === c ? Math.sqrt(Math.max(value, smallestPivot)) : value / l[c * size + c];
    }
  for (let r = 0; r < size; r++)
    for (let c = 0; c <= r; c++) {
      let value = Number(r === c);
      for (let t = c; t < r; t++) value -= l[r * size + t] * inverse[t * size + c];
      inverse[r * size + c] = value / l[r * size + r];
    }
  s.set(inverse);
}
