/** What an experiment tries for each method: settings that are the same in number and cost for all of them. */
import type { Part, RunConfig } from './domain.ts';
import { type Catalog, chosenParts, type OptionDescription, slots } from './parts.ts';

export interface Search {
  /** Factors on the plan's learning rate. */
  learningRates: number[];
  /** How many values of a method's own strength are tried with each of them. */
  strengths: number;
  /** Whether half of the settings go on with twice the steps, instead of all of them to the end. */
  halving: boolean;
}

/** What is tried where a plan does not say it. */
export const usualSearch: Search = { learningRates: [0.3, 1, 3], strengths: 2, halving: true };

/** One setting, as factors on what the plan and the method's defaults say. */
export interface Setting {
  learningRate: number;
  /** Place among the values that are tried of each option that says how strong the method is. */
  strength: number;
}

/** Steps of a round as a share of a whole training's, and how many settings take part. */
export interface Round {
  settings: number;
  share: number;
}

/**
 * The settings to try, the configured strength first. A method without a strength of its own gets as many, all of them learning
 * rates: evenly spaced in logarithm over the range that the others get.
 */
export function settingsOf({ learningRates, strengths }: Search, hasStrength: boolean): Setting[] {
  if (hasStrength || strengths === 1)
    return Array.from({ length: hasStrength ? strengths : 1 }, (_, strength) =>
      learningRates.map((learningRate) => ({ learningRate, strength })),
    ).flat();
  const [lowest, highest] = [Math.min(...learningRates), Math.max(...learningRates)];
  if (lowest === highest) return [{ learningRate: lowest, strength: 0 }];
  const count = learningRates.length * strengths;
  return Array.from({ length: count }, (_, i) => ({
    learningRate: lowest * (highest / lowest) ** (i / (count - 1)),
    strength: 0,
  }));
}

/**
 * Rounds of a search among `count` settings. Successive halving (Jamieson and Talwalkar, «Non-stochastic Best Arm Identification
 * and Hyperparameter Optimization», AISTATS 2016): half of them, rounded down, go on with twice the steps until one is left,
 * which then gets all of them as the final training. Without halving all are trained to the end.
 */
export function roundsOf(count: number, halving: boolean): Round[] {
  if (count <= 1) return [];
  if (!halving) return [{ settings: count, share: 1 }];
  const sizes: number[] = [];
  for (let left = count; left > 1; left = survivors(left)) sizes.push(left);
  return sizes.map((settings, round) => ({ settings, share: 2 ** (round - sizes.length) }));
}

/** How many of so many settings go on. */
export const survivors = (settings: number): number => Math.max(1, Math.floor(settings / 2));

/** Options that say how strong a part of a method is. */
const strengthsOf = (part: Part, catalog: Catalog): OptionDescription[] =>
  catalog.method.find(({ name }) => name === part.name)?.options.filter(({ strength }) => strength) ?? [];

/** Whether one of these parts of a method says how strong it is. */
export const hasStrength = (names: readonly string[], catalog: Catalog): boolean =>
  names.some((name) => strengthsOf({ name }, catalog).length > 0);

/** A configuration under a setting. All strengths of a method that is put together change together: it is one method. */
export function withSetting(
  config: RunConfig,
  { learningRate, strength }: Setting,
  catalog: Catalog,
): RunConfig {
  const method = config.method.map((part) => {
    const changed = strengthsOf(part, catalog).map((option) => [
      option.name,
      valueToTry(option, part[option.name] as number, strength),
    ]);
    return { ...part, ...Object.fromEntries(changed) };
  });
  return { ...config, method, learningRate: rounded(config.learningRate * learningRate) };
}

/**
 * The value at a place of those that are tried of a strength: the one that was chosen, then the published one and its multiples, within
 * its bounds; the chosen one again where these leave fewer.
 */
function valueToTry(
  { default: published, strength, minimum, maximum }: OptionDescription,
  chosen: number,
  place: number,
): number {
  const values = [
    chosen,
    ...strength!.map((factor) => {
      const value = rounded((published as number) * factor);
      return Math.min(maximum ?? value, Math.max(minimum ?? value, value));
    }),
  ];
  return [...new Set(values)][place] ?? chosen;
}

/**
 * A configuration as a search trains it: with so large a share of the steps, and of everything that is counted in steps. Validation
 * comes at the end alone, unless which weights count, or when training ends, depends on those before.
 */
export function asTrial(config: RunConfig, share: number, catalog: Catalog): RunConfig {
  const short = (steps: number) => (steps === 0 ? 0 : Math.max(1, Math.round(steps * share)));
  const counted = (value: unknown) =>
    Array.isArray(value) ? value.map(short) : typeof value === 'number' ? short(value) : value;
  const partOf = (part: Part, slot: (typeof slots)[number]): Part => {
    const options = catalog[slot].find(({ name }) => name === part.name)?.options ?? [];
    const inSteps = options.filter(({ unit, name }) => unit === 'steps' && part[name] !== undefined);
    return { ...part, ...Object.fromEntries(inSteps.map(({ name }) => [name, counted(part[name])])) };
  };
  const { steps, evaluateEvery, checkpointEvery } = config;
  const parts = Object.fromEntries(
    slots.flatMap((slot): [string, Part | Part[]][] => {
      const chosen = config[slot];
      if (chosen === undefined) return [];
      const asked = Array.isArray(chosen) ? chosen.map((part) => partOf(part, slot)) : partOf(chosen, slot);
      return [[slot, asked]];
    }),
  );
  return {
    ...config,
    ...parts,
    steps: short(steps),
    evaluateEvery: needsValidations(config, catalog) ? short(evaluateEvery) : 0,
    checkpointEvery: short(checkpointEvery),
  };
}

const needsValidations = (config: RunConfig, catalog: Catalog): boolean =>
  config.select === 'best' || chosenParts(config, catalog).some(({ needs }) => needs.includes('validation'));

/** What a search chose in a configuration: `learning rate 0.003, Trade-off λ 2.3`. */
export const settingText = ({ learningRate, method }: RunConfig, catalog: Catalog): string =>
  [
    `learning rate ${learningRate}`,
    ...method.flatMap((part) =>
      strengthsOf(part, catalog).map(({ name, title }) => `${title} ${String(part[name])}`),
    ),
  ].join(', ');

/** Three digits: 0.001 × 0.3 is 0.00030000000000000003 in binary floating point. */
const rounded = (value: number): number => Number(value.toPrecision(3));
