/**
 * Multinomial logistic regression, W [K, D] minimizing
 *   F(W) = C Σ_i −log softmax(W x_i)[y_i] + ½ ‖W‖²,
 * along a path of growing C. Truncated Newton (Nocedal and Wright 2006, Numerical Optimization, algorithm 7.1): each
 * step is a conjugate-gradient solution of H d = −g, where the Hessian H is never formed. Everything is class-major:
 * scores and probabilities are [K, N].
 *
 * F is 1-strongly convex, so a gradient g certifies F(W) − F* ≤ ½‖g‖² and ‖W − W*‖ ≤ ‖g‖. Since ½‖W‖² ≤ F, a relative
 * gradient ‖g‖ ≤ δ‖W‖ certifies a relative gap of at most δ².
 *
 * A bias is the weights of X's free column of ones: it does not decay, and ‖W‖² leaves it out. Along it F is as convex as the
 * loss is, which is more than 1 where C times a class's share of the samples is; that one number added to all of b changes
 * nothing is no matter, since every gradient is at right angles to it.
 */
import type { FixedMatrix } from '../engine/fixed-matrix.ts';
import type { Reals } from '../engine/reals.ts';
import { openSoftmaxColumns, type SoftmaxColumns } from '../engine/softmax-columns.ts';
import { norm } from '../engine/vectors.ts';
import { type Direction, NewtonDirections } from './newton-direction.ts';
import { Span } from './span-of-solutions.ts';

export interface Solution {
  C: number;
  objective: number;
  /** [K, D] */
  weights: Reals;
}

/** How exact solutions are at least. */
interface Accuracy {
  /** ‖g‖ ≤ δ ‖W‖ for this δ, or: */
  tolerance: number;
  /** F is within this share of its minimum, as far as a step can tell. */
  gap?: number;
}

interface Steps {
  /** The share of the gradient that a step's system leaves, after a step that left so much of it; 1 before the first. */
  shareAfter: (left: number) => number;
  /** The tolerance is for ‖W − W*‖ as the latest direction tells it, instead of for ‖g‖. */
  isMeasured?: boolean;
  /** Ends, too, after so many steps in a row that do not halve the gradient: rounding does not let it fall further. */
  patience?: number;
}

/** In practice F comes to within 2e-5 of its minimum. */
const ofPath: Accuracy = { tolerance: 0.01, gap: 1e-5 };
const newtonSteps = 50;
/** Of polishing, from which on single precision is tried first: its rounding moves the gradients of real relationships far less. */
const singlePrecisionTolerance = 1e-3;

interface RealsConstructor<R extends Reals> {
  new (length: number): R;
  new (values: Reals): R;
}

/** Memory that minimizations of one precision use one after the other. */
interface Space<R extends Reals> {
  /** Ones at the samples' labels. */
  targets: R;
  probabilities: R;
  trialScores: R;
  trialWeights: R;
  gradient: R;
}

/** X [N, D] with labels below `classes`. */
export class LogisticRegression {
  readonly #x: FixedMatrix;
  readonly #columns: SoftmaxColumns;
  readonly #directions: NewtonDirections;
  readonly #labels: ArrayLike<number>;
  readonly #classes: number;

  constructor(x: FixedMatrix, labels: ArrayLike<number>, classes: number) {
    this.#x = x;
    this.#columns = openSoftmaxColumns(classes, x.rows);
    this.#directions = new NewtonDirections(x, classes);
    this.#labels = labels;
    this.#classes = classes;
  }

  /**
   * Solutions for every C, in growing order of C, each started from the best weights that the few before it span. Single precision.
   * What is done with one must not change its weights.
   */
  async *path(grid: readonly number[], accuracy: Accuracy = ofPath): AsyncGenerator<Solution> {
    const space = this.#space(Float32Array);
    const latest = new Span(this.#classes, this.#labels);
    let scores = this.#scores(Float32Array);
    for (const C of grid.toSorted((a, b) => a - b)) {
      const weights = this.#weights(Float32Array);
      const { probabilities } = space;
      const logSum = latest.isEmpty
        ? await this.#columns.softmax(scores, probabilities)
        : await latest.best(this.#columns, C, accuracy.tolerance, { weights, scores, probabilities });
      const found = await this.#minimize({ weights, scores, logSum }, C, space, {
        ...accuracy,
        shareAfter: () => 0.15,
      });
      yield { C, objective: found.objective, weights };
      ({ scores } = found);
      latest.add(weights, scores, this.#freeWeights(weights));
    }
  }

  /**
   * The same solution until ‖W − W*‖ ≤ `tolerance` ‖W‖: in single precision where that is enough and gets there, else in double
   * precision, where without a free column it is as far as conjugate gradients tell, else certain.
   */
  async polish(solution: Solution, tolerance: number): Promise<Solution> {
    if (tolerance >= singlePrecisionTolerance) {
      const { isEnough, ...polished } = await this.#polishIn(Float32Array, solution, tolerance);
      if (isEnough) return polished;
    }
    const { isEnough, ...polished } = await this.#polishIn(Float64Array, solution, tolerance);
    return polished;
  }

  async #polishIn<R extends Reals>(
    of: RealsConstructor<R>,
    { C, weights }: Solution,
    tolerance: number,
  ): Promise<Solution & { isEnough: boolean }> {
    const polished = new of(weights);
    const scores = this.#scores(of);
    const space = this.#space(of);
    await this.#x.timesTransposed(polished, scores);
    const logSum = await this.#columns.softmax(scores, space.probabilities);
    const { objective, isEnough } = await this.#minimize({ weights: polished, scores, logSum }, C, space, {
      tolerance,
      // Newton's method squares what is left (Eisenstat and Walker 1996): a last system goes to the end.
      shareAfter: (left) => Math.min(0.01, left ** 2),
      // No direction tells what rounding makes of a gradient in single precision, and along a free column H may be less than 1.
      isMeasured: polished instanceof Float64Array && !this.#x.hasFreeColumn,
      patience: polished instanceof Float32Array ? 1 : 3,
    });
    return { C, objective, weights: polished, isEnough };
  }

  #weights = <R extends Reals>(of: new (length: number) => R): R => new of(this.#classes * this.#x.columns);
  #scores = <R extends Reals>(of: new (length: number) => R): R => new of(this.#classes * this.#x.rows);

  #space<R extends Reals>(of: new (length: number) => R): Space<R> {
    const targets = this.#scores(of);
    for (let i = 0; i < this.#x.rows; i++) targets[this.#labels[i] * this.#x.rows + i] = 1;
    return {
      targets,
      probabilities: this.#scores(of),
      trialScores: this.#scores(of),
      trialWeights: this.#weights(of),
      gradient: this.#weights(of),
    };
  }

  async dispose(): Promise<void> {
    await this.#columns.dispose();
  }

  /**
   * Newton steps on `weights` in place, whose scores W Xᵀ are known, their softmax in `space.probabilities` and its `logSum`,
   * until they are as exact as is asked; returns F and the scores, in memory of `start` or of `space`, which then has the other. Each
   * step's system is solved until its residual is a share of the gradient, or small enough to end with.
   */
  async #minimize<R extends Reals>(
    start: { weights: R; scores: R; logSum: number },
    C: number,
    space: Space<R>,
    {
      tolerance,
      gap = 0,
      shareAfter,
      isMeasured = false,
      patience = Number.POSITIVE_INFINITY,
    }: Accuracy & Steps,
  ): Promise<{ objective: number; scores: R; isEnough: boolean }> {
    const { weights } = start;
    const { targets, probabilities, trialWeights, gradient } = space;
    let { scores } = start;
    const decaying = norm(weights) ** 2 - norm(this.#freeWeights(weights)) ** 2;
    let objective = this.#objectiveOf(start, decaying, C);
    let before = Number.POSITIVE_INFINITY;
    let reach = 1;
    let idle = 0;
    for (let step = 0; step < newtonSteps; step++) {
      const slack = Math.sqrt(await this.#x.gradient({ C, q: probabilities, targets }, weights, gradient));
      const enough = tolerance * norm(weights);
      if (slack * reach <= enough) return { objective, scores, isEnough: true };
      idle = slack > before / 2 ? idle + 1 : 0;
      if (idle === patience) break;
      const share = shareAfter(step === 0 ? 1 : slack / before);
      before = slack;

      const until = isMeasured
        ? { residual: share * slack, distance: 0.9 * enough }
        : { residual: Math.max(share * slack, 0.9 * enough), distance: 0 };
      const direction = await this.#directions.find(gradient, probabilities, C, until);
      if (isMeasured) ({ reach } = direction);
      const { weights: along } = direction;
      // F falls along the direction.
      const { trialScores } = space;
      let trial = Number.POSITIVE_INFINITY;
      for (let length = 1; length > 1e-6; length /= 2) {
        const decaying = await this.#x.move(weights, length, along, trialWeights);
        const into = { weights: trialWeights, scores: trialScores, probabilities };
        const logSum = await this.#scoresAt(scores, length, direction.scores, into);
        trial = this.#objectiveOf({ scores: trialScores, logSum }, decaying, C);
        if (trial <= objective + 1e-4 * length * direction.slope + 1e-7 * objective) break;
      }
      weights.set(trialWeights);
      [scores, space.trialScores] = [trialScores, scores];
      const decrease = objective - trial;
      objective = trial;
      if (gap > 0 && expectedDecrease(direction, decrease) <= gap * objective)
        return { objective, scores, isEnough: true };
    }
    return { objective, scores, isEnough: false };
  }

  /**
   * Leaves the scores of the weights in `into`, which are `length` of a direction on from those with `scores`, and their softmax, and
   * returns its `logSum`. The direction's scores are known, in single precision: where that is enough it costs no product.
   */
  async #scoresAt(
    scores: Reals,
    length: number,
    along: Float32Array,
    into: { weights: Reals; scores: Reals; probabilities: Reals },
  ): Promise<number> {
    if (scores instanceof Float32Array) return this.#columns.along(scores, length, along, into);
    await this.#x.timesTransposed(into.weights, into.scores);
    return this.#columns.softmax(into.scores, into.probabilities);
  }

  /** F(W) from the scores X Wᵀ, Σ_i log Σ_k exp of them and the sum of the squares of what decays. */
  #objectiveOf({ scores, logSum }: { scores: Reals; logSum: number }, decaying: number, C: number): number {
    return C * (logSum - this.#labelScores(scores)) + 0.5 * decaying;
  }

  /** Where the weights of the free column are. */
  #freeIndices(): number[] {
    const { columns, hasFreeColumn } = this.#x;
    return hasFreeColumn ? Array.from({ length: this.#classes }, (_, k) => (k + 1) * columns - 1) : [];
  }

  #freeWeights = (weights: Reals): Float64Array => Float64Array.from(this.#freeIndices(), (j) => weights[j]);

  /** Σ_i of the score of sample i's own class. */
  #labelScores(scores: Reals): number {
    let sum = 0;
    for (let i = 0; i < this.#x.rows; i++) sum += scores[this.#labels[i] * this.#x.rows + i];
    return sum;
  }
}

/**
 * By how much F can still fall after a step by which it fell by `decrease`: what the step's quadratic model leaves, and what that model
 * leaves out. For Newton's method it is quadratic, so that the share by which the model was wrong is squared.
 */
function expectedDecrease({ slope, rest }: Direction, decrease: number): number {
  const modelled = -slope / 2;
  return rest + modelled * (decrease / modelled - 1) ** 2;
}
