import type { RunRequest } from '../../src-shared/contract.ts';
import type { Dataset, Model, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';

/** Settings that both presets share: those of the co-tuning paper (You et al., NeurIPS 2020) and its code. */
const shared = {
  rate: 1,
  seed: 0,
  learningRate: 0.001,
  headLearningRateMultiplier: 10,
  momentum: 0.9,
  weightDecay: 5e-4,
  decayFactor: 0.1,
  tradeOff: 2.3,
  approach: 'reverse',
  engine: 'auto',
  precision: 'full',
  select: 'last',
} as const;

/**
 * `quick` shrinks the crop and the budget to what two cores finish in minutes; `paper` is the paper's budget.
 * `decay` is the share of the steps after which the learning rate falls.
 */
const presets = {
  quick: {
    steps: 300,
    batch: 32,
    decay: 2 / 3,
    longestStretch: 250,
    size: (inputSize: number) => Math.min(inputSize, 128),
  },
  paper: { steps: 9050, batch: 48, decay: 6000 / 9050, longestStretch: 500, size: () => 224 },
} as const;

/**
 * Fills a request with its preset's settings. `train` is the number of training images after the rate applied: what
 * `epochs` counts in. Validation and checkpoints come five times a run, and at least every 250 (`paper`: 500) steps.
 * Errors: `bad-input` where settings contradict each other.
 */
export function resolveRunConfig(
  request: RunRequest,
  dataset: Dataset,
  model: Model,
  train: number,
): RunConfig {
  const { epochs, ...given } = request;
  if (epochs !== undefined && given.steps !== undefined) {
    throw new CotuneError(
      'bad-input',
      `Both steps (${given.steps}) and epochs (${epochs}) are given.`,
      'Give one of them: an epoch is one pass over the training images.',
    );
  }
  const name = given.preset ?? 'quick';
  const preset = presets[name];
  const batch = given.batch ?? preset.batch;
  const steps =
    epochs === undefined ? (given.steps ?? preset.steps) : Math.max(1, Math.ceil((epochs * train) / batch));
  const stretch = Math.min(Math.ceil(steps / 5), preset.longestStretch);
  const late = given.decayAt?.filter((step) => step >= steps) ?? [];
  if (late.length > 0) {
    throw new CotuneError(
      'bad-input',
      `decayAt names step ${late.join(', ')}, but the run has ${steps} steps.`,
      'Name steps before the end, or an empty list for a constant learning rate.',
    );
  }
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    ...shared,
    steps,
    batch,
    size: Math.max(32, preset.size(model.preprocessing.inputSize)),
    decayAt: steps > 1 ? [Math.max(1, Math.round(steps * preset.decay))].filter((step) => step < steps) : [],
    evaluateEvery: stretch,
    checkpointEvery: stretch,
    ...(defined as Partial<RunConfig>),
    preset: name,
    method: request.method,
    dataset: dataset.name,
    model: model.name,
  };
}
