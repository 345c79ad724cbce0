import type { RunConfig } from '../../src-shared/domain.ts';

/** Step decay: the rate of step `step` (from 0), multiplied by `decayFactor` at each step of `decayAt` (PyTorch's MultiStepLR). */
export const learningRateAt = (
  { learningRate, decayAt, decayFactor }: Pick<RunConfig, 'learningRate' | 'decayAt' | 'decayFactor'>,
  step: number,
): number => learningRate * decayFactor ** decayAt.filter((at) => step >= at).length;
