/** From what a person typed to a training request: every field a string, every mistake named beside its field. */
import type { ExperimentPlan, RunRequest } from '../../src-shared/contract.ts';
import type { Part } from '../../src-shared/domain.ts';
import { engineChoices, precisions, sides } from '../../src-shared/names.ts';
import {
  type Catalog,
  type OptionDescription,
  type PartDescription,
  places,
  type SingleSlot,
  type Slot,
  singleSlots,
  slots,
  underPreset,
  whyNotTogether,
} from '../../src-shared/parts.ts';
import { presetsFor } from '../../src-shared/presets/index.ts';
import type { Preset } from '../../src-shared/presets/preset.ts';
import { stepSettings } from '../../src-shared/run-settings.ts';
import { hasStrength, roundsOf, type Search, settingsOf, usualSearch } from '../../src-shared/search.ts';

/** Places whose parts come on top of the method. */
export const addedSlots = ['extras', 'augment'] as const;

export const emptyForm = {
  dataset: '',
  model: '',
  /** Names of the chosen methods; null before anything was chosen: the first two of the catalog. */
  methods: null as string[] | null,
  /** Whether the chosen methods make one training together, instead of one each. */
  together: false,
  extras: [] as string[],
  augment: [] as string[],
  /** What was chosen in places that hold one part; empty where the preset decides. */
  ...(Object.fromEntries(singleSlots.map((slot) => [slot, ''])) as Record<SingleSlot, string>),
  /** What was typed for options of parts, by `part.option`. */
  options: {} as Record<string, string>,
  preset: 'quick',
  rates: '100',
  seeds: '0',
  length: '',
  unit: 'steps',
  batch: '',
  size: '',
  learningRate: '',
  headLearningRateMultiplier: '',
  engine: '',
  precision: '',
  evaluateEvery: '',
  checkpointEvery: '',
  select: '',
  name: '',
  /** `searched`: each method's learning rate and strength are, on validation images. */
  choice: 'given',
};
export type TrainingForm = typeof emptyForm;
/** By field, or by `part.option`. */
export type FormErrors = Record<string, string | undefined>;

interface Rule {
  low: number;
  high: number;
  whole?: boolean;
}
const rules = {
  batch: { low: 2, high: 4096, whole: true },
  size: { ...sides, whole: true },
  learningRate: { low: Number.MIN_VALUE, high: 1000 },
  headLearningRateMultiplier: { low: Number.MIN_VALUE, high: 1000 },
  evaluateEvery: { low: 0, high: 10_000_000, whole: true },
  checkpointEvery: { low: 0, high: 10_000_000, whole: true },
} satisfies Partial<Record<keyof TrainingForm, Rule>>;
type NumberField = keyof typeof rules;
export const numberFields = Object.keys(rules) as NumberField[];

const numbers = (text: string) =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

type Settings = NonNullable<ExperimentPlan['config']>;

export interface Plan {
  /** The parts of each training's method. */
  methods: Part[][];
  /** Shares of one. */
  rates: number[];
  seeds: number[];
  settings: Settings;
  search: Search | null;
  /** How many runs this makes. */
  runs: number;
  errors: FormErrors;
}

/** What a network takes: images or texts. */
export type Takes = Preset['takes'];

/** The preset that a form means: the first for such networks where it names one for others. */
export const presetOf = ({ preset }: Pick<TrainingForm, 'preset'>, takes: Takes): Preset =>
  presetsFor(takes).find(({ name }) => name === preset) ?? presetsFor(takes)[0];

/** Whether parts of a place have anything to do with what a network takes. */
export const isPlaceOf = (takes: Takes, slot: Slot): boolean =>
  takes === 'images' || !places[slot].ofPictures;

/** Reads the form; what is left empty is the preset's to decide and stays out of the request. */
export function readForm(form: TrainingForm, catalog: Catalog, takes: Takes = 'images'): Plan {
  const errors: FormErrors = {};
  const preset = presetOf(form, takes);
  const settings: Settings = { preset: preset.name };

  const read = (part: PartDescription) => readPart(part, form.options, errors);
  const chosen = catalog.method.filter(({ name }) => chosenMethods(form, catalog).includes(name));
  const why = form.together ? whyNotTogether(chosen) : null;
  if (chosen.length === 0) errors.methods = 'Choose at least one method.';
  else if (why) errors.methods = why;
  const all = chosen.map(read);
  const methods = form.together && all.length > 0 ? [all] : all.map((part) => [part]);
  const trains = hasTraining(chosen);
  const counts = (field: keyof TrainingForm) => trains || isOfEveryRun(field);
  const isHere = (slot: Slot) => isPlaceOf(takes, slot);
  for (const slot of addedSlots.filter(counts).filter(isHere)) {
    const added = catalog[slot].filter(({ name }) => form[slot].includes(name)).map(read);
    if (added.length > 0) settings[slot] = added;
  }
  for (const slot of singleSlots.filter(counts).filter(isHere)) {
    const own = read(usedPart(form, preset, slot, catalog));
    if (form[slot] || Object.keys(own).length > 1) settings[slot] = own;
  }

  const rates = [...new Set(numbers(form.rates).map((rate) => rate / 100))];
  if (rates.length === 0 || rates.some((rate) => !(rate > 0 && rate <= 1))) {
    errors.rates = 'Percentages above 0 and up to 100, separated by commas.';
  }
  const seeds = [...new Set(numbers(form.seeds))];
  if (seeds.length === 0 || seeds.some((seed) => !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31)) {
    errors.seeds = 'Whole numbers from 0, separated by commas.';
  }

  if (trains && form.length.trim()) {
    const length = Number(form.length);
    if (form.unit === 'steps' ? !(Number.isInteger(length) && length > 0) : !(length > 0)) {
      errors.length = form.unit === 'steps' ? 'A whole number above 0.' : 'A number above 0.';
    } else if (form.unit === 'steps') settings.steps = length;
    else settings.epochs = length;
  }

  for (const field of numberFields.filter(counts)) {
    if (!form[field].trim()) continue;
    const { low, high, whole = false }: Rule = rules[field];
    const value = Number(form[field]);
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      errors[field] =
        `A ${whole ? 'whole ' : ''}number ${low === Number.MIN_VALUE ? 'above 0' : `from ${low}`} to ${high}.`;
    } else settings[field] = value;
  }
  const engine = engineChoices.find((known) => known === form.engine);
  if (engine) settings.engine = engine;
  const precision = precisions.find((known) => known === form.precision);
  if (precision) settings.precision = precision;
  if (trains && (form.select === 'last' || form.select === 'best')) settings.select = form.select;

  const search = form.choice === 'searched' ? usualSearch : null;
  return {
    methods,
    rates,
    seeds,
    settings,
    search,
    runs:
      rates.length *
      (methods.length * seeds.length +
        (search ? methods.reduce((sum, method) => sum + searchRuns(method, search, catalog), 0) : 0)),
    errors,
  };
}

/** The part of a place that is used: the one that was chosen, else the preset's, else the first; with the preset's options. */
export function usedPart(
  form: TrainingForm,
  preset: Preset,
  slot: SingleSlot,
  catalog: Catalog,
): PartDescription {
  const [usual] = [preset.parts[slot] ?? []].flat();
  const name = form[slot] || usual?.name;
  const part = catalog[slot].find((one) => one.name === name) ?? catalog[slot][0];
  return underPreset(part, preset.name);
}

/** Whether any of the chosen methods has training steps, and so settings of these. */
export const hasTraining = (chosen: readonly PartDescription[]): boolean =>
  chosen.length === 0 || chosen.some(({ closedForm }) => !closedForm);

/** Whether a setting counts for runs without training steps, too. */
export const isOfEveryRun = (field: keyof TrainingForm): boolean =>
  !stepSettings.some((setting) => setting === field);

const searchRuns = (method: Part[], search: Search, catalog: Catalog): number => {
  const names = method.map(({ name }) => name);
  const { length } = settingsOf(search, hasStrength(names, catalog));
  return roundsOf(length, search.halving).reduce((sum, { settings }) => sum + settings, 0);
};

/** The methods that a form has chosen: before anyone chose, the baseline and the first that is compared with it. */
export const chosenMethods = ({ methods }: TrainingForm, catalog: Catalog): string[] =>
  methods ?? catalog.method.slice(0, 2).map(({ name }) => name);

/** A part with the options that were typed for it; mistakes go into `errors`. */
function readPart(part: PartDescription, typed: Record<string, string>, errors: FormErrors): Part {
  const chosen: Part = { name: part.name };
  for (const option of part.options) {
    const key = `${part.name}.${option.name}`;
    const text = (typed[key] ?? '').trim();
    if (text === '') continue;
    const value = readOption(option, text);
    if (value instanceof Error) errors[key] = value.message;
    else chosen[option.name] = value;
  }
  return chosen;
}

/** The value that was typed for an option, or what is wrong with it. */
function readOption(option: OptionDescription, typed: string): Part[string] | Error {
  const { type, minimum, maximum, above, below } = option;
  if (type === 'choice') return typed;
  if (type === 'flag') return typed === 'yes';
  if (type === 'numbers') {
    const values = typed === 'none' ? [] : numbers(typed);
    return values.some((value) => !Number.isFinite(value))
      ? new Error('Numbers, separated by commas.')
      : values;
  }
  const value = Number(typed);
  const isFine =
    Number.isFinite(value) &&
    (type !== 'integer' || Number.isInteger(value)) &&
    value >= (minimum ?? Number.NEGATIVE_INFINITY) &&
    value <= (maximum ?? Number.POSITIVE_INFINITY) &&
    value > (above ?? Number.NEGATIVE_INFINITY) &&
    value < (below ?? Number.POSITIVE_INFINITY);
  const limits = [
    minimum !== undefined && `from ${minimum}`,
    above !== undefined && `above ${above}`,
    maximum !== undefined && `up to ${maximum}`,
    below !== undefined && `below ${below}`,
  ].filter(Boolean);
  return isFine
    ? value
    : new Error(`A ${type === 'integer' ? 'whole number' : 'number'} ${limits.join(' and ')}.`);
}

const text = (value: unknown) => (value === undefined ? '' : String(value));

/** The form's fields for a request, to begin from an earlier run's settings. */
export function formOf(request: Partial<RunRequest>): Partial<TrainingForm> {
  const form: Partial<TrainingForm> = {};
  if (request.dataset) form.dataset = request.dataset;
  if (request.model) form.model = request.model;
  if (Array.isArray(request.method)) {
    const names = (request.method as Part[]).map(({ name }) => name);
    form.methods = names;
    form.together = names.length > 1;
  }
  for (const slot of addedSlots)
    if (Array.isArray(request[slot])) form[slot] = (request[slot] as Part[]).map(({ name }) => name);
  for (const slot of singleSlots) if (request[slot]) form[slot] = (request[slot] as Part).name;
  form.options = typedOptions(slots.flatMap((slot) => (request[slot] ?? []) as Part | Part[]).flat());
  if (request.preset) form.preset = request.preset;
  // 0.15 × 100 is 15.000000000000002 in binary floating point.
  if (request.rate !== undefined) form.rates = text(Number((request.rate * 100).toPrecision(12)));
  if (request.seed !== undefined) form.seeds = text(request.seed);
  if (request.steps) {
    form.length = text(request.steps);
    form.unit = 'steps';
  }
  for (const field of numberFields) if (request[field] !== undefined) form[field] = text(request[field]);
  if (request.engine) form.engine = request.engine;
  if (request.precision) form.precision = request.precision;
  if (request.select) form.select = request.select;
  return form;
}

function typedOptions(parts: readonly Part[]): Record<string, string> {
  const typed: Record<string, string> = {};
  for (const { name, ...options } of parts)
    for (const [option, value] of Object.entries(options))
      typed[`${name}.${option}`] =
        typeof value === 'boolean' ? (value ? 'yes' : 'no') : [value].flat().join(', ') || 'none';
  return typed;
}
