import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Approach, Part } from '../../src-shared/domain.ts';
import type { Catalog, Slot } from '../../src-shared/parts.ts';
import { slots } from '../../src-shared/parts.ts';
import { extras } from './extras/index.ts';
import { methods } from './methods/index.ts';
import type { ChosenOptimizer, Optimizer } from './optimizer.ts';
import { optimizers } from './optimizers/index.ts';
import { type Described, describe } from './part.ts';
import type { ChosenSchedule, Schedule } from './schedule.ts';
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
  optimizer: optimizers,
  schedule: schedules,
};

/** The same as data. */
export const catalog = (): Catalog =>
  Object.fromEntries(slots.map((slot) => [slot, parts[slot].map(describe)])) as Catalog;

function find(
  { name, ...options }: Part,
  slot: Slot,
): { found: Described; options: Record<string, unknown> } {
  const found = parts[slot].find((part) => part.name === name);
  if (!found) throw new Error(`There is no ${slot} ${name}.`);
  return { found, options: found.options.parse(options) };
}

/** The terms that a configuration names, methods first. */
export const termsOf = (method: readonly Part[], more: readonly Part[] = []): ChosenTerm[] => [
  ...method.map((part) => chosenTerm(part, 'method')),
  ...more.map((part) => chosenTerm(part, 'extras')),
];

function chosenTerm(part: Part, slot: Slot): ChosenTerm {
  const { found, options } = find(part, slot);
  return { term: found as Term, options };
}

/** By which approach a method has the relationship learned; null where it uses none. */
export function relationshipApproach(method: readonly Part[]): Approach | null {
  for (const { term, options } of termsOf(method)) if (term.relationship) return term.relationship(options);
  return null;
}

export function optimizerOf(part: Part): ChosenOptimizer {
  const { found, options } = find(part, 'optimizer');
  return { optimizer: found as Optimizer, options };
}

export function scheduleOf(part: Part): ChosenSchedule {
  const { found, options } = find(part, 'schedule');
  return { schedule: found as Schedule, options };
}
