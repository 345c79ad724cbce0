import type { RunRequest } from '../../src-shared/contract.ts';
import type { Dataset, Model, Part, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { presets, presetsFor } from '../../src-shared/presets/index.ts';
import type { Preset } from '../../src-shared/presets/preset.ts';
import { rectifiesScores } from '../backbones/traits.ts';
import { resizeOf } from '../data/resizes/index.ts';
import { parts, scheduleOf } from '../transfer/catalog.ts';
import { type ChosenParts, chooseParts, stepRequests } from './choose-parts.ts';
import { checkLength } from './run-samples.ts';

/** Settings that all presets share. */
const shared = { rate: 1, seed: 0, engine: 'auto', precision: 'full' } as const;

/** What a step of a training takes where nothing else is asked for: images, and the side of their crop in pixels. */
export function usualStep(model: Model): { batch: number; size: number } {
  const [preset] = presetsFor(takenBy(model));
  return { batch: preset.batch, size: inputSize(preset, model) };
}

/** As large as the preset allows and the network was made for. */
function inputSize({ size }: Preset, { preprocessing, text }: Model): number {
  const own = preprocessing?.inputSize ?? text!.positions;
  return Math.max(32, typeof size === 'number' ? size : Math.min(own, size.atMost));
}

const takenBy = ({ text }: Model): Preset['takes'] => (text ? 'texts' : 'images');

/**
 * Fills a request with its preset's settings. `train` is the number of training images after the rate applied: what
 * `epochs` counts in. Validation and checkpoints come five times a run, and more often where the preset bounds the steps between them.
 * `unused` names the options that no chosen part has, and for a method in closed form the settings of training steps. Errors:
 * `bad-input` where settings contradict each other.
 */
export function resolveRunConfig(
  request: RunRequest,
  dataset: Dataset,
  model: Model,
  train: number,
): { config: RunConfig; unused: string[] } {
  const preset = presetOf(request.preset, takenBy(model));
  const { epochs, options, ...given } = request;
  const { preprocessing } = model;
  const usual = { ...(preprocessing && { resize: { name: resizeOf(preprocessing).name } }), ...preset.parts };
  const { chosen, unused, closedForm, defaults } = chooseParts(request, model, usual);
  const idle = closedForm ? stepRequests.filter((key) => request[key] !== undefined) : [];
  if (epochs !== undefined && given.steps !== undefined) {
    throw new CotuneError(
      'bad-input',
      `Both steps (${given.steps}) and epochs (${epochs}) are given.`,
      'Give one of them: an epoch is one pass over the training images.',
    );
  }
  const batch = given.batch ?? preset.batch;
  const wanted =
    epochs === undefined ? (given.steps ?? preset.steps) : Math.max(1, Math.ceil((epochs * train) / batch));
  const steps = closedForm ? 0 : wanted;
  const stretch = Math.min(Math.ceil(steps / 5), preset.longestStretch);
  const defined = Object.fromEntries(
    Object.entries(given).filter(
      ([key, value]) => value !== undefined && !idle.some((setting) => setting === key),
    ),
  );
  const { learningRateBehindRelu, headLearningRateMultiplier, select } = preset;
  const isLower = learningRateBehindRelu !== undefined && rectifiesScores(model);
  const config = {
    ...shared,
    learningRate: isLower ? learningRateBehindRelu : preset.learningRate,
    headLearningRateMultiplier,
    select,
    ...defaults,
    steps,
    batch,
    size: inputSize(preset, model),
    evaluateEvery: stretch,
    checkpointEvery: stretch,
    ...(defined as Partial<RunConfig>),
    ...chosen,
    preset: preset.name,
    schedule: completed(chosen, { steps, decay: preset.decay }),
    dataset: dataset.name,
    model: model.name,
  };
  checkLength(model, config.size);
  if (config.evaluateEvery === 0) {
    const waiting = [...chosen.method, ...chosen.extras].find(({ name }) => needsValidation(name));
    if (waiting)
      throw new CotuneError(
        'bad-input',
        `${waiting.name} looks at validation passes, and there are none before the end (0 steps between them).`,
        'Say how many steps lie between them: evaluate_every: 50 in a settings file, «Validate every» in the form.',
      );
  }
  return { config, unused: [...unused, ...idle] };
}

const needsValidation = (name: string): boolean =>
  [...parts.method, ...parts.extras].some((part) => part.name === name && part.needs?.includes('validation'));

function presetOf(given: string | undefined, takes: Preset['takes']): Preset {
  const own = presetsFor(takes);
  const name = given ?? own[0].name;
  const found = own.find((preset) => preset.name === name);
  if (found) return found;
  const names = own.map((preset) => preset.name);
  if (presets.some((preset) => preset.name === name))
    throw new CotuneError(
      'bad-input',
      `The preset "${name}" is not for networks of ${takes}.`,
      `For these there are: ${names.join(', ')}.`,
    );
  const near = nearest(name, names);
  throw new CotuneError(
    'bad-input',
    `There is no preset "${name}".`,
    `${near ? `Did you mean "${near}"? ` : ''}There are: ${names.join(', ')}.`,
  );
}

/** The schedule with the options that follow from the length. */
function completed({ schedule: part }: ChosenParts, run: { steps: number; decay: number }): Part {
  const { schedule, options } = scheduleOf(part);
  return { name: part.name, ...(schedule.complete?.(options, run) ?? options) };
}
