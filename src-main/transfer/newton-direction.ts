/** Directions of Newton steps of multinomial logistic regression, by conjugate gradients. */
import type { ConjugateGradients, FixedMatrix, Preconditioner } from '../engine/fixed-matrix.ts';
import type { Reals } from '../engine/reals.ts';
import { dot, norm, total } from '../engine/vectors.ts';

const conjugateGradientSteps = 500;
/** A curvature serves so many directions for one C: with two of them conjugate gradients take as many steps, with three more. */
const directionsOfCurvature = 2;
/** Steps whose sum tells how far conjugate gradients were from their end before them. */
const fewSteps = 4;

export interface Direction {
  /** d [K, D], until the next direction. */
  weights: Float32Array;
  /** d Xᵀ [K, N], until the next direction. */
  scores: Float32Array;
  /** gᵀ d */
  slope: number;
  /** About what the quadratic model could still fall by beyond d. */
  rest: number;
  /** About how far d is from the model's minimum for the length of H d + g, 1 at most. */
  reach: number;
}

/** When a direction is near enough to the minimum of the quadratic model: either will do. */
interface Until {
  residual: number;
  distance: number;
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

  /** d with ‖H d + g‖ ≤ `residual`, or that is about within `distance` of the model's minimum −H⁻¹ g. */
  async find(gradient: Reals, probabilities: Reals, C: number, until: Until): Promise<Direction> {
    const q = probabilities instanceof Float32Array ? probabilities : new Float32Array(probabilities);
    if (this.#served.C !== C) this.#served = { C, directions: 0 };
    if (this.#served.directions++ % directionsOfCurvature === 0) await this.#x.curvature(q, this.#curvature);
    await this.#begin(gradient, C, this.#origin);
    const system = { C, q, ...this.#preconditioner };
    const lowered: number[] = [];
    let from = this.#origin;
    let [residual, distance] = [norm(gradient), norm(gradient)];
    for (let step = 1; step <= conjugateGradientSteps; step++) {
      const found = await this.#x.conjugateStep(system, from, this.#spare);
      [this.#stand, this.#spare] = [this.#spare, this.#stand];
      from = this.#stand;
      residual = Math.sqrt(found.squares);
      lowered.push(found.lowered);
      distance = Math.min(residual, stillToLower(lowered));
      if (residual <= until.residual || distance <= until.distance) break;
    }
    const { solution, scores } = this.#stand;
    const slope = dot(gradient, solution);
    const reach = residual > 0 ? distance / residual : 1;
    return { weights: solution, scores, slope, rest: restAt(this.#stand), reach };
  }

  #begin(gradient: Reals, C: number, start: ConjugateGradients): Promise<void> {
    return this.#x.begin({ C, curvature: this.#curvature, ...this.#preconditioner }, gradient, start);
  }
}

/**
 * ½ rᵀ M r would be it, were M the inverse of H; it is nearly that for single columns, and what is left when it has done its part lies
 * between them. ½ ‖r‖² is certain, since H is 1 at least. Between the two, by trial on three real relationships: with the first alone F is
 * up to 2.0e-5 from its minimum instead of 1.5e-5, with their geometric mean conjugate gradients take 476 steps instead of 405.
 */
function restAt({ residual, preconditioned }: ConjugateGradients): number {
  return (dot(residual, preconditioned) ** 0.75 * dot(residual, residual) ** 0.25) / 2;
}

/**
 * About how far conjugate gradients were from their end before the latest few steps. The square of that in the norm of H, which is not
 * less than ours where H is 1 at least, is the sum of what every step from there on lowers (Strakoš and Tichý 2002, On error estimation in
 * the conjugate gradient method and why it works in finite precision computations, ETNA 13): here of a geometric series that goes
 * on as the latest few and as many before them. Infinite while that does not fall.
 */
function stillToLower(lowered: readonly number[]): number {
  const latest = total(lowered.slice(-fewSteps));
  const before = total(lowered.slice(-2 * fewSteps, -fewSteps));
  const falls = lowered.length >= 2 * fewSteps && latest < before;
  return falls ? Math.sqrt(latest / (1 - latest / before)) : Number.POSITIVE_INFINITY;
}
