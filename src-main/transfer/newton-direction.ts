/** Directions of Newton steps of multinomial logistic regression, by conjugate gradients. */
import { type BlockProducts, type Blocks, openBlockProducts } from '../engine/block-products.ts';
import type { ConjugateGradients, FixedMatrix } from '../engine/fixed-matrix.ts';
import type { Reals } from '../engine/reals.ts';
import { dot, norm } from '../engine/vectors.ts';
import { coupleClasses } from './class-coupling.ts';

const conjugateGradientSteps = 500;
/** A curvature serves so many directions: with two of them conjugate gradients take as many steps, with three more. */
const directionsOfCurvature = 2;
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
  /** About what the quadratic model could still fall by beyond d, until the next direction. */
  rest(): Promise<number>;
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
  /** diag(H)^(−¾). */
  readonly #scale: Float32Array;
  #curvatureServed = 0;
  /** Not where a free column is: it comes with features, which are large in most samples, and their columns alone say little of H. */
  readonly #couples: boolean;
  /** Steps since the latest coupling was found. */
  #steps = 0;
  /** The latest one: for which C, and whether a small residual was asked for. Another C's serves until that takes long. */
  #coupling: (Blocks & { C: number; isForLong: boolean }) | null = null;

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

  /**
   * About ‖H⁻¹ g‖ / ‖g‖, how far the minimum is for the length of the gradient, as far as the blocks found for this C are H's
   * inverse; without any it is 1, which is certain, since H is 1 at least.
   */
  async reach(gradient: Reals, C: number): Promise<number> {
    if (this.#coupling?.C !== C) return 1;
    const { residual, preconditioned } = this.#spare;
    residual.set(gradient);
    await this.#precondition(this.#spare);
    return norm(preconditioned) / norm(residual);
  }

  /** d with ‖H d + g‖ ≤ `target`. */
  async find(gradient: Reals, probabilities: Reals, C: number, target: number): Promise<Direction> {
    const q = probabilities instanceof Float32Array ? probabilities : new Float32Array(probabilities);
    const isLong = target < longReduction * norm(gradient);
    if (isLong && !(this.#coupling?.C === C && this.#coupling.isForLong)) await this.#couple(q, C, isLong);
    const [scale, curvature] = [this.#scale, this.#curvature];
    if (!this.#coupling && this.#curvatureServed++ % directionsOfCurvature === 0)
      await this.#x.curvature(q, curvature);
    await this.#x.begin({ C, curvature, scale }, gradient, this.#origin);
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
    const { solution, scores } = this.#stand;
    const rest = () => this.#restAt(this.#stand);
    return { weights: solution, scores, slope: dot(gradient, solution), rest };
  }

  /**
   * ½ rᵀ M r, as far as M is the inverse of H. The blocks are so for single columns, and what is left when they have done their part
   * lies between columns: with them it is the geometric mean of that and ½ ‖r‖², which is certain, since H is 1 at least.
   */
  async #restAt(at: ConjugateGradients): Promise<number> {
    await this.#precondition(at);
    const energy = dot(at.residual, at.preconditioned);
    return (this.#coupling ? Math.sqrt(energy * dot(at.residual, at.residual)) : energy) / 2;
  }

  /** Puts the blocks' M r in the place of the diagonal's. */
  async #precondition({ residual, preconditioned }: ConjugateGradients): Promise<void> {
    if (!this.#coupling) return;
    await this.#blocks.times(this.#coupling, residual, preconditioned);
  }

  /** Whether there is something that couples classes. */
  async #couple(q: Float32Array, C: number, isForLong: boolean): Promise<boolean> {
    this.#steps = 0;
    if (!this.#couples) return false;
    await this.#x.curvature(q, this.#curvature);
    const coupling = await coupleClasses(this.#x, this.#blocks, this.#labels, q, this.#curvature, C);
    if (coupling.factored.length === 0) return false;
    this.#coupling = { ...coupling, C, isForLong };
    return true;
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
