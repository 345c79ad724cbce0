import type { RunConfig } from '../src-shared/domain.ts';
import { usualSight } from './usual-sight.ts';

/** A configuration as the default preset fills it, for tests that need some run. */
export const usualConfig: RunConfig = {
  dataset: 'd',
  model: 'm',
  method: [{ name: 'finetune' }],
  extras: [],
  ...usualSight,
  preset: 'quick',
  rate: 1,
  seed: 0,
  steps: 300,
  batch: 32,
  size: 128,
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  optimizer: { name: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
  schedule: { name: 'step', decayAt: [200], decayFactor: 0.1 },
  engine: 'auto',
  precision: 'full',
  evaluateEvery: 60,
  checkpointEvery: 60,
  select: 'last',
};
