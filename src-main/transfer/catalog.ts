import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { Approach, Part } from '../../src-shared/domain.ts';
import { type Catalog, type PartDescription, type Slot, slots } from '../../src-shared/parts.ts';
import { presets } from '../../src-shared/presets/index.ts';
import { augmentations } from '../data/augmentations/index.ts';
import type { Evaluation } from '../data/evaluation.ts';
import { evaluations } from '../data/evaluations/index.ts';
import { resizes } from '../data/resizes/index.ts';
import type { Sampling } from '../data/sampling.ts';
import { samplings } from '../data/samplings/index.ts';
import { trainingCrops } from '../data/training-crops/index.ts';
import { extras } from './extras/index.ts';
import { methods } from './methods/index.ts';
import type { ChosenOptimizer } from './optimizer.ts';
import { optimizers } from './optimizers/index.ts';
import { chosenFrom, type Described, describe } from './part.ts';
import type { ChosenSchedule } from './schedule.ts';
import { schedules } from './schedules/index.ts';
import type { ChosenTerm, Term } from './term.ts';

/** Modules that bring methods of their own, by absolute path or relative to the working folder, separated by commas. */
const variable = 'COTUNE_METHODS';

const brought: Term[] = [];
for (const path of (process.env[variable] ?? '').split(',').filter(Boolean))
  for (const value of Object.values((await import(pathToFileURL(resolve(path)).href)) as object))
    brought.push(value as Term);

/** Everything that a training can be put together from. */
export const parts: Record<Slot, readonly Described[]> = {
  method: [...methods, ...brought],
  extras,
  resize: resizes,
  crop: trainingCrops,
  augment: augmentations,
  sampling: samplings,
  evaluation: evaluations,
  optimizer: optimizers,
  schedule: schedules,
};

/** The same as data. */
export const catalog = (): Catalog =>
  Object.fromEntries(
    slots.map((slot) => [slot, parts[slot].map((part) => withPresets(describe(part), slot))]),
  ) as Catalog;

/** A description that says what presets begin with. */
function withPresets(part: PartDescription, slot: Slot): PartDescription {
  const options = part.options.map((option) => {
    const values = presets.flatMap((preset) => {
      const own = [preset.parts[slot] ?? []].flat().find(({ name }) => name === part.name);
      const value = own?.[option.name];
      return value === undefined || isDeepStrictEqual(value, option.default) ? [] : [[preset.name, value]];
    });
    return values.length > 0 ? { ...option, presets: Object.fromEntries(values) } : option;
  });
  return { ...part, options };
}

/** The terms that a configuration names, methods first. */
export const termsOf = (method: readonly Part[], more: readonly Part[] = []): ChosenTerm[] => [
  ...method.map((part) => chosenTerm(part, 'method')),
  ...more.map((part) => chosenTerm(part, 'extras')),
];

function chosenTerm(part: Part, slot: Slot): ChosenTerm {
  const { part: term, options } = chosenFrom(parts[slot] as readonly Term[], part);
  return { term, options };
}

/** By which approach a method has the relationship learned; null where it uses none. */
export function relationshipApproach(method: readonly Part[]): Approach | null {
  for (const { term, options } of termsOf(method)) if (term.relationship) return term.relationship(options);
  return null;
}

/** The run whose network a method learns from; null where it learns from none. */
export function teacherRun(method: readonly Part[]): number | null {
  for (const { term, options } of termsOf(method)) if (term.teacher) return term.teacher(options);
  return null;
}

export function optimizerOf(part: Part): ChosenOptimizer {
  const { part: optimizer, options } = chosenFrom(optimizers, part);
  return { optimizer, options };
}

export function scheduleOf(part: Part): ChosenSchedule {
  const { part: schedule, options } = chosenFrom(schedules, part);
  return { schedule, options };
}

/** Which pictures batches are made of. */
export const samplingOf = (part: Part): Sampling => chosenFrom(samplings, part).part;

/** What of each picture a trained network is tested on. */
export const evaluationOf = (part: Part): Evaluation => chosenFrom(evaluations, part).part;
