/** Directions of Newton steps of multinomial logistic regression, by conjugate gradients. */
import type { ConjugateGradients, FixedMatrix, Preconditioner } from '../engine/fixed-matrix.ts';
import type { Reals } from '../engine/reals.ts';
import { dot, norm } from '../engine/vectors.ts';

const conjugateGradientSteps = 500;
/** A curvature serves so many directions for one C: with two of them conjugate gradients take as many steps, with three more. */
const directionsOfCurvature = 2;

export interface Direction {
  /** d [K, D], until the next direction. */
  weights: Float32Array;
  /** d Xᵀ [K, N], until the next direction. */
  scores: Float32Array;
  /** gᵀ d */
  slope: number;
  /** About what the quadratic model could still fall by beyond d. */
  rest: number;
}

/**
 * Conjugate gradients for the H of one X [N, D] and K classes, where H p = C Xᵀ-weighted (diag q_i − q_i q_iᵀ) X p + p for
 * distributions q [K, N], always in single precision, which a caller in double precision makes up for by taking several such
 * steps.
 */
export class NewtonDirections {
  readonly #x: FixedMatrix;
  /** Where every solution starts, at zero. */
  readonly #origin: ConjugateGradients;
  #stand: ConjugateGradients;
  #spare: ConjugateGradients;
  readonly #curvature: Float32Array;
  readonly #preconditioner: Preconditioner;
  /** The C that the curvature has served, and how often. */
  #served = { C: 0, directions: 0 };

  constructor(x: FixedMatrix, classes: number) {
    this.#x = x;
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
    this.#curvature = weights();
    this.#preconditioner = { scale: weights(), share: weights() };
  }

  /**
   * About ‖H⁻¹ g‖ / ‖g‖, how far the minimum is for the length of the gradient, as far as M for this C is H's inverse. Where there is
   * none, or X has a free column, it is 1, which is certain, since H is 1 at least.
   */
  async reach(gradient: Reals, C: number): Promise<number> {
    if (this.#x.hasFreeColumn || this.#served.C !== C) return 1;
    const { residual, preconditioned } = this.#spare;
    await this.#begin(gradient, C, this.#spare);
    return norm(preconditioned) / norm(residual);
  }

  /** d with ‖H d + g‖ ≤ `target`. */
  async find(gradient: Reals, probabilities: Reals, C: number, target: number): Promise<Direction> {
    const q = probabilities instanceof Float32Array ? probabilities : new Float32Array(probabilities);
    if (this.#served.C !== C) this.#served = { C, directions: 0 };
    if (this.#served.directions++ % directionsOfCurvature === 0) await this.#x.curvature(q, this.#curvature);
    await this.#begin(gradient, C, this.#origin);
    const system = { C, q, ...this.#preconditioner };
    let from = this.#origin;
    for (let step = 1; step <= conjugateGradientSteps; step++) {
      const squares = await this.#x.conjugateStep(system, from, this.#spare);
      [this.#stand, this.#spare] = [this.#spare, this.#stand];
      from = this.#stand;
      if (squares <= target ** 2) break;
    }
    const { solution, scores } = this.#stand;
    return { weights: solution, scores, slope: dot(gradient, solution), rest: restAt(this.#stand) };
  }

  #begin(gradient: Reals, C: number, start: ConjugateGradients): Promise<void> {
    return this.#x.begin({ C, curvature: this.#curvature, ...this.#preconditioner }, gradient, start);
  }
}

/**
 * ½ rᵀ M r would be it, were M the inverse of H; it is nearly that for single columns, and what is left when it has done its part lies
 * between them. ½ ‖r‖² is certain, since H is 1 at least. Between the two, by trial: with the first alone F was up to 4e-5 from its
 * minimum on real relationships, with their geometric mean conjugate gradients take a fifth more steps.
 */
function restAt({ residual, preconditioned }: ConjugateGradients): number {
  return (dot(residual, preconditioned) ** 0.75 * dot(residual, residual) ** 0.25) / 2;
}
