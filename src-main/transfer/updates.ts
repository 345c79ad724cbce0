import * as tf from '@tensorflow/tfjs-core';
import type { Arrays, Tensors } from '../engine/engine.ts';
import { after } from '../engine/ops/after.ts';
import { sumOfSquares } from '../engine/ops/sum-of-squares.ts';
import type { Network } from './network.ts';
import { slotName } from './optimizer.ts';
import { anchorName, type StepPlan, type TrainingOptions } from './step-plan.ts';
import type { ChosenTerm, Held } from './term.ts';

/** Name among a step's diagnoses of ‖g‖², g all gradients as one vector, with penalties and before they are limited. */
const squaredNorm = 'squared_norm';

/** Elements of a gradient from which on it matters how long it is kept. */
const worthOrder = 2 ** 12;

/** What a step computed, with ‖g‖ as `gradient_norm`. */
export const withNorm = ({ [squaredNorm]: square, ...outputs }: Arrays): Arrays => ({
  ...outputs,
  ...(square && { gradient_norm: Float32Array.of(Math.sqrt(square[0])) }),
});

/** From the loss's gradients by name to the next parameters and what the optimizer keeps of them. */
export function updates(
  network: Network,
  {
    terms = [],
    optimizer: { optimizer, options: chosen },
    headLearningRateMultiplier,
  }: Pick<TrainingOptions, 'terms' | 'optimizer' | 'headLearningRateMultiplier'>,
  { trained, anchored, isHead, decays }: Pick<StepPlan, 'trained' | 'anchored' | 'isHead' | 'decays'>,
  state: Tensors,
  fed: Tensors,
  ofLoss: Tensors,
  heldOf: (one: ChosenTerm) => Held,
): { next: Tensors; diagnosis: Tensors } {
  const penalties = terms.filter(({ term }) => term.penalty);
  const isAnchored = new Set(anchored);
  const found = { ...ofLoss };
  for (const name of trained)
    for (const one of penalties) {
      const anchor = isAnchored.has(name) ? state[anchorName(name)] : null;
      const parameter = { name, isHead: isHead(name), value: state[name], anchor };
      const more = one.term.penalty!(parameter, heldOf(one), one.options);
      if (more) found[name] = tf.add(found[name], more);
    }
  const gradients = terms.reduce(
    (before, { term, options }) => term.limit?.(before, options) ?? before,
    found,
  );

  const next: Tensors = {};
  const rateOf = rates(fed.learning_rate, (name) =>
    terms.reduce(
      (factor, { term, options }) => factor * (term.rate?.(name, network, options) ?? 1),
      isHead(name) ? headLearningRateMultiplier : 1,
    ),
  );
  const { behind, whole } = squaresOf(trained, found);
  for (const name of trained) {
    const stepped = optimizer.step(
      {
        parameter: state[name],
        gradient: gradients[name],
        slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, state[slotName(slot, name)]])),
        rate: () => (found[name].size < worthOrder ? rateOf(name) : after(rateOf(name), behind.get(name)!)),
        step: fed.step ?? null,
        decays: penalties.length === 0 && decays(name),
      },
      chosen,
    );
    next[name] = stepped.parameter;
    for (const slot of optimizer.slots) next[slotName(slot, name)] = stepped.slots[slot];
  }
  return { next, diagnosis: { [squaredNorm]: whole } };
}

/**
 * ‖g‖² of all gradients, and of each large one with those behind it. A large one's update takes its rate after it has been measured: the
 * runtime then measures and uses up one after the other, from the last layer on, as the backward pass makes them. A sum by itself would
 * keep all of them in memory. Short vectors, of which deep networks have hundreds, are measured as one: what opens a step takes its time
 * for every node.
 */
function squaresOf(
  names: readonly string[],
  gradients: Tensors,
): { behind: Map<string, tf.Tensor>; whole: tf.Tensor } {
  const isShort = ({ rank, size }: tf.Tensor) => rank === 1 && size < worthOrder;
  const short = names.map((name) => gradients[name] as tf.Tensor1D).filter(isShort);
  const behind = new Map<string, tf.Tensor>();
  let whole: tf.Tensor | undefined;
  const add = (gradient: tf.Tensor): tf.Tensor => {
    const square = sumOfSquares(gradient);
    whole = whole ? tf.add(whole, square) : square;
    return whole;
  };
  for (const name of names.toReversed())
    if (!isShort(gradients[name])) behind.set(name, add(gradients[name]));
  if (short.length > 0) add(tf.concat1d(short));
  return { behind, whole: whole! };
}

/** Learning rates of tensors, one for each factor. */
function rates(rate: tf.Tensor, factorOf: (name: string) => number): (name: string) => tf.Tensor {
  const known = new Map<number, tf.Tensor>([[1, rate]]);
  return (name) => {
    const factor = factorOf(name);
    const scaled = known.get(factor) ?? tf.mul(rate, factor);
    known.set(factor, scaled);
    return scaled;
  };
}
