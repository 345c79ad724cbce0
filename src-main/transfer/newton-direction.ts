/** Directions of Newton steps of multinomial logistic regression, by conjugate gradients. */
import { type BlockProducts, openBlockProducts } from '../engine/block-products.ts';
import type { ConjugateGradients, FixedMatrix } from '../engine/fixed-matrix.ts';
import type { Reals } from '../engine/reals.ts';
import { dot, norm } from '../engine/vectors.ts';
import { type ClassCoupling, coupleClasses } from './class-coupling.ts';

const conjugateGradientSteps = 500;
/** A diagonal of H serves so many directions: with two of them conjugate gradients take as many steps, with three more. */
const directionsOfDiagonal = 2;
/** Where all samples are certain, a free column has none. */
const smallestCurvature = 1e-6;
/** After so many steps without it, it pays to find how classes are coupled: that takes as long as five to thirty of them. */
const patience = 60;
/** A residual that is to be so much smaller than the gradient takes that long. */
const longReduction = 0.05;

export interface Direction {
  /** d [K, D], until the next direction. */
  weights: Float32Array;
  /** d Xᵀ [K, N], until the next direction. */
  scores: Float32Array;
  /** gᵀ d */
  slope: number;
  /** ½ rᵀ M r for the residual r = −(H d + g): what the quadratic model could still fall by, as far as M is the inverse of H. */
  rest: number;
}

/**
 * Conjugate gradients for the H of one X [N, D] and K classes, where H p = C Xᵀ-weighted (diag q_i − q_i q_iᵀ) X p + p for
 * distributions q [K, N], always in single precision, which a caller in double precision makes up for by taking several such
 * steps. Preconditioned by H's diagonal or, from when that takes long, by its blocks of single columns, which couple classes.
 */
export class NewtonDirections {
  readonly #x: FixedMatrix;
  readonly #labels: ArrayLike<number>;
  readonly #blocks: BlockProducts;
  /** Where every solution starts, at zero. */
  readonly #origin: ConjugateGradients;
  #stand: ConjugateGradients;
  #spare: ConjugateGradients;
  readonly #curvature: Float32Array;
  readonly #scale: Float32Array;
  #diagonalServed = 0;
  /** Not where a free column is: it comes with features, which are large in most samples, and their columns alone say little of H. */
  readonly #couples: boolean;
  /** Steps since the latest coupling was found. */
  #steps = 0;
  /** The latest one: for which C, and whether a small residual was asked for. Another C's serves until that takes long. */
  #coupling: (ClassCoupling & { C: number; isForLong: boolean }) | null = null;

  constructor(x: FixedMatrix, labels: ArrayLike<number>, classes: number) {
    this.#x = x;
    this.#labels = labels;
    this.#couples = !x.hasFreeColumn;
    this.#blocks = openBlockProducts(classes, x.columns);
    const weights = () => new Float32Array(classes * x.columns);
    const start = (): ConjugateGradients => ({
      solution: weights(),
      scores: new Float32Array(classes * x.rows),
      residual: weights(),
      preconditioned: weights(),
      direction: weights(),
      energy: new Float32Array(1),
    });
    [this.#origin, this.#stand, this.#spare] = [start(), start(), start()];
    this.#origin.energy[0] = Number.POSITIVE_INFINITY;
    [this.#scale, this.#curvature] = [weights(), weights()];
  }

  /** d with ‖H d + g‖ ≤ `target`. */
  async find(gradient: Reals, probabilities: Reals, C: number, target: number): Promise<Direction> {
    const q = probabilities instanceof Float32Array ? probabilities : new Float32Array(probabilities);
    const isLong = target < longReduction * norm(gradient);
    if (isLong && !(this.#coupling?.C === C && this.#coupling.isForLong)) await this.#couple(q, C, isLong);
    if (!this.#coupling) await this.#scaleByDiagonal(q, C);
    const { residual, preconditioned } = this.#origin;
    const scale = this.#scale;
    for (let j = 0; j < residual.length; j++) {
      residual[j] = -gradient[j];
      preconditioned[j] = scale[j] * residual[j];
    }
    let from = this.#origin;
    for (let step = 1; step <= conjugateGradientSteps; step++) {
      await this.#precondition(from);
      const squares = await this.#x.conjugateStep({ C, q, scale }, from, this.#spare);
      [this.#stand, this.#spare] = [this.#spare, this.#stand];
      from = this.#stand;
      if (squares <= target ** 2) break;
      const isSlow = ++this.#steps >= patience && this.#coupling?.C !== C;
      if (isSlow && (await this.#couple(q, C, isLong))) restart(from);
    }
    const { solution, scores, residual: left, preconditioned: scaled } = this.#stand;
    return { weights: solution, scores, slope: dot(gradient, solution), rest: dot(left, scaled) / 2 };
  }

  /** Puts the blocks' M r in the place of the diagonal's. */
  async #precondition({ residual, preconditioned }: ConjugateGradients): Promise<void> {
    if (!this.#coupling) return;
    const { scale, factors } = this.#coupling;
    await this.#blocks.times(scale, factors, residual, preconditioned);
  }

  /**
   * diag(H)^(−¾) with diag(H)_kj = 1 + C Σ_i q_ik (1 − q_ik) x_ij², without the 1 in a free column. The power is found by trial: on relationships with 10 and
   * 200 targets the inverse itself takes up to 1.8 times as many steps, no preconditioner up to 2.4 times.
   */
  async #scaleByDiagonal(q: Float32Array, C: number): Promise<void> {
    if (this.#diagonalServed++ % directionsOfDiagonal === 0) await this.#findCurvature(q);
    const { columns, hasFreeColumn } = this.#x;
    const [scale, curvature] = [this.#scale, this.#curvature];
    const scaleOf = (decay: number, j: number): number => {
      const root = Math.sqrt(Math.max(smallestCurvature, decay + C * curvature[j]));
      return 1 / (root * Math.sqrt(root));
    };
    for (let j = 0; j < scale.length; j++) scale[j] = scaleOf(1, j);
    if (hasFreeColumn) for (let j = columns - 1; j < scale.length; j += columns) scale[j] = scaleOf(0, j);
  }

  /** Whether there is something that couples classes. */
  async #couple(q: Float32Array, C: number, isForLong: boolean): Promise<boolean> {
    this.#steps = 0;
    if (!this.#couples) return false;
    await this.#findCurvature(q);
    const coupling = await coupleClasses(this.#x, this.#blocks, this.#labels, q, this.#curvature, C);
    if (coupling.factors.length === 0) return false;
    this.#coupling = { ...coupling, C, isForLong };
    return true;
  }

  /** (Q ∘ (1 − Q)) (X ∘ X) */
  async #findCurvature(q: Float32Array): Promise<void> {
    const variances = new Float32Array(q.length);
    for (let i = 0; i < q.length; i++) variances[i] = q[i] * (1 - q[i]);
    await this.#x.timesSquares(variances, this.#curvature);
  }

  async dispose(): Promise<void> {
    await this.#blocks.dispose();
  }
}

/** The next step goes along the preconditioned residual. */
function restart(from: ConjugateGradients): void {
  from.direction.fill(0);
  from.energy[0] = Number.POSITIVE_INFINITY;
}
