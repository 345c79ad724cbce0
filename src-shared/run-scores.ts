/** Runs by the one number that their task judges them by: accuracy, or F1 of entities. */
import type { Interval } from './contract.ts';
import { entityDifference, entityGains, f1Interval, f1Of } from './paired-entities.ts';
import { type ComparedRun, hits, type SharedImages } from './paired-images.ts';
import { type NetworkDifference, networkDifference } from './paired-networks.ts';
import { wilsonInterval } from './statistics.ts';

/** A run's score on all of its test samples. */
export function pointScore(one: ComparedRun): number {
  const { entities, labels } = one.predictions;
  return entities ? f1Of(entities) : hits(one) / labels.length;
}

/** The same with its 95 % interval: Wilson's, or the bootstrap's over sentences. */
export function scoreOf(one: ComparedRun): Interval {
  const { entities, labels } = one.predictions;
  const [low, high] = entities ? f1Interval(entities) : wilsonInterval(hits(one), labels.length);
  return { value: pointScore(one), low, high };
}

/** The score of b's network less that of a's on the samples that both predicted. */
export function scoreDifference(a: ComparedRun, b: ComparedRun, shared: SharedImages): NetworkDifference {
  const entities = sharedEntities(a, b, shared);
  return entities
    ? entityDifference(entities.a, entities.b)
    : networkDifference(shared.broken, shared.fixed, shared.gains.length);
}

/** What each of those samples adds to that difference: numbers whose mean it is. */
export function scoreGains(a: ComparedRun, b: ComparedRun, shared: SharedImages): ArrayLike<number> {
  const entities = sharedEntities(a, b, shared);
  return entities ? entityGains(entities.a, entities.b) : shared.gains;
}

function sharedEntities(a: ComparedRun, b: ComparedRun, { inA, inB }: SharedImages) {
  const [ofA, ofB] = [a.predictions.entities, b.predictions.entities];
  return ofA && ofB && { a: Array.from(inA, (at) => ofA[at]), b: Array.from(inB, (at) => ofB[at]) };
}
