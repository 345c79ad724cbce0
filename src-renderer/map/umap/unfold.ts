import type { FuzzyGraph } from './fuzzy-graph.ts';

/** 1 / (1 + a d^2b) nearest to exp(−(d − 0.1)) beyond a distance of 0.1, and 1 within: umap-learn's for its usual `min_dist` and `spread`. */
const a = 1.576943460405378;
const b = 0.8950608781227859;
const repelled = 5;
const steepest = 4;

/** Rounds for so many points, as umap-learn has them. */
export const roundsFor = (points: number): number => (points <= 10_000 ? 500 : 200);

/**
 * Moves points until what the graph joins lies together (McInnes, Healy, Melville, «UMAP», 2018, algorithm 5): an edge draws its ends
 * together as often as its weight says, and pushes the first away from five others each time. `places` [points, 2] are where they begin,
 * and are moved; one round for each step of the generator.
 */
export function* unfold(
  { heads, tails, weights, points }: FuzzyGraph,
  places: Float32Array,
  rounds: number,
  random: () => number,
): Generator<void> {
  const heaviest = weights.reduce((most, weight) => Math.max(most, weight), 0);
  const every = Float64Array.from(weights, (weight) => heaviest / weight);
  const due = Float64Array.from(every);
  const pushed = Float64Array.from(every, (between) => between / repelled);
  for (let round = 0; round < rounds; round++) {
    const rate = 1 - round / rounds;
    for (let edge = 0; edge < heads.length; edge++) {
      if (due[edge] > round) continue;
      const head = 2 * heads[edge];
      const tail = 2 * tails[edge];
      let dx = places[head] - places[tail];
      let dy = places[head + 1] - places[tail + 1];
      let square = dx * dx + dy * dy;
      if (square > 0) {
        const power = square ** b;
        const pull = (-2 * a * b * power) / (square * (a * power + 1));
        const [x, y] = [rate * bounded(pull * dx), rate * bounded(pull * dy)];
        places[head] += x;
        places[head + 1] += y;
        places[tail] -= x;
        places[tail + 1] -= y;
      }
      due[edge] += every[edge];

      const step = every[edge] / repelled;
      for (; pushed[edge] <= round; pushed[edge] += step) {
        const other = 2 * Math.floor(random() * points);
        dx = places[head] - places[other];
        dy = places[head + 1] - places[other + 1];
        square = dx * dx + dy * dy;
        if (square === 0) continue;
        const push = (2 * b) / ((0.001 + square) * (a * square ** b + 1));
        places[head] += rate * bounded(push * dx);
        places[head + 1] += rate * bounded(push * dy);
      }
    }
    yield;
  }
}

const bounded = (step: number): number => Math.max(-steepest, Math.min(steepest, step));
