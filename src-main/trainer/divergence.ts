import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays, Values } from '../engine/engine.ts';

/**
 * The error of a loss that is not finite at `step` (counted from 1), with its likely cause. `before` is the loss one
 * step earlier, or null where this process saw none.
 */
export function divergence(
  step: number,
  loss: number,
  images: Values,
  before: number | null,
  learningRate: number,
): CotuneError {
  const what = `The loss became ${loss} at step ${step}`;
  if (!allFinite(images))
    return new CotuneError(
      'failed',
      `${what}: the images of this step hold values that are not numbers.`,
      "Check the model's preprocessing (mean and deviation).",
    );
  if (step === 1)
    return new CotuneError(
      'failed',
      `${what}, before anything was learned: the weights or the preprocessing likely do not fit the network.`,
      'Check the model: its architecture, padding, mean and deviation.',
    );
  const after = before === null ? '' : ` after ${before.toPrecision(3)} one step earlier`;
  return tooFast(`${what}${after}`, learningRate);
}

/** Throws where a tensor holds a value that is not finite: such weights are worth neither a checkpoint nor a test. */
export function checkFinite(step: number, state: Arrays, learningRate: number): void {
  for (const [name, values] of Object.entries(state))
    if (!allFinite(values))
      throw tooFast(`"${name}" holds values that are not numbers after step ${step}`, learningRate);
}

/** A number less itself is zero unless it is not finite: millions of weights take milliseconds. */
function allFinite(values: Values): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] - values[i];
  return sum === 0;
}

const tooFast = (what: string, learningRate: number): CotuneError =>
  new CotuneError(
    'diverged',
    `${what}: the learning rate ${learningRate} is likely too high.`,
    `Try --lr ${Number((learningRate / 10).toPrecision(2))}.`,
  );
