/** From what a person typed to a training request: every field a string, every mistake named beside its field. */
import type { RunRequest, SweepPlan } from '../../src-shared/contract.ts';
import { approaches, engineChoices, methods, precisions } from '../../src-shared/names.ts';

export const emptyForm = {
  dataset: '',
  model: '',
  finetune: true,
  cotuning: true,
  preset: 'quick',
  rates: '100',
  seeds: '0',
  length: '',
  unit: 'steps',
  batch: '',
  size: '',
  learningRate: '',
  headLearningRateMultiplier: '',
  tradeOff: '',
  approach: '',
  engine: '',
  precision: '',
  momentum: '',
  weightDecay: '',
  decayAt: '',
  decayFactor: '',
  evaluateEvery: '',
  checkpointEvery: '',
  select: '',
  name: '',
};
export type TrainingForm = typeof emptyForm;
export type FormErrors = Partial<Record<keyof TrainingForm, string>>;

interface Rule {
  low: number;
  high: number;
  whole?: boolean;
}
const rules = {
  batch: { low: 2, high: 4096, whole: true },
  size: { low: 32, high: 1024, whole: true },
  learningRate: { low: Number.MIN_VALUE, high: 1000 },
  headLearningRateMultiplier: { low: Number.MIN_VALUE, high: 1000 },
  tradeOff: { low: 0, high: 1000 },
  momentum: { low: 0, high: 0.999999 },
  weightDecay: { low: 0, high: 10 },
  decayFactor: { low: Number.MIN_VALUE, high: 1 },
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

type Settings = NonNullable<SweepPlan['config']>;

export interface Plan {
  methods: SweepPlan['methods'];
  /** Shares of one. */
  rates: number[];
  seeds: number[];
  settings: Settings;
  /** How many runs this makes. */
  runs: number;
  errors: FormErrors;
}

/** Reads the form; what is left empty is the preset's to decide and stays out of the request. */
export function readForm(form: TrainingForm): Plan {
  const errors: FormErrors = {};
  const settings: Settings = { preset: form.preset === 'paper' ? 'paper' : 'quick' };

  const chosen = methods.filter((method) => form[method]);
  if (chosen.length === 0) errors.finetune = 'Choose at least one method.';

  const rates = [...new Set(numbers(form.rates).map((rate) => rate / 100))];
  if (rates.length === 0 || rates.some((rate) => !(rate > 0 && rate <= 1))) {
    errors.rates = 'Percentages above 0 and up to 100, separated by commas.';
  }
  const seeds = [...new Set(numbers(form.seeds))];
  if (seeds.length === 0 || seeds.some((seed) => !Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31)) {
    errors.seeds = 'Whole numbers from 0, separated by commas.';
  }

  if (form.length.trim()) {
    const length = Number(form.length);
    if (form.unit === 'steps' ? !(Number.isInteger(length) && length > 0) : !(length > 0)) {
      errors.length = form.unit === 'steps' ? 'A whole number above 0.' : 'A number above 0.';
    } else if (form.unit === 'steps') settings.steps = length;
    else settings.epochs = length;
  }

  for (const field of numberFields) {
    if (!form[field].trim()) continue;
    const { low, high, whole = false }: Rule = rules[field];
    const value = Number(form[field]);
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value))) {
      errors[field] =
        `A ${whole ? 'whole ' : ''}number ${low === Number.MIN_VALUE ? 'above 0' : `from ${low}`} to ${high}.`;
    } else settings[field] = value;
  }
  if (form.decayAt.trim()) {
    const steps = numbers(form.decayAt);
    if (steps.some((step) => !Number.isInteger(step) || step <= 0))
      errors.decayAt = 'Steps, separated by commas.';
    else settings.decayAt = steps;
  }
  const approach = approaches.find((known) => known === form.approach);
  if (approach) settings.approach = approach;
  const engine = engineChoices.find((known) => known === form.engine);
  if (engine) settings.engine = engine;
  const precision = precisions.find((known) => known === form.precision);
  if (precision) settings.precision = precision;
  if (form.select === 'last' || form.select === 'best') settings.select = form.select;

  return {
    methods: chosen,
    rates,
    seeds,
    settings,
    runs: chosen.length * rates.length * seeds.length,
    errors,
  };
}

const text = (value: unknown) => (value === undefined ? '' : String(value));

/** The form's fields for a request, to begin from an earlier run's settings. */
export function formOf(request: Partial<RunRequest>): Partial<TrainingForm> {
  const form: Partial<TrainingForm> = {};
  if (request.dataset) form.dataset = request.dataset;
  if (request.model) form.model = request.model;
  if (request.method) {
    form.finetune = request.method === 'finetune';
    form.cotuning = request.method === 'cotuning';
  }
  if (request.preset) form.preset = request.preset;
  // 0.15 × 100 is 15.000000000000002 in binary floating point.
  if (request.rate !== undefined) form.rates = text(Number((request.rate * 100).toPrecision(12)));
  if (request.seed !== undefined) form.seeds = text(request.seed);
  if (request.steps !== undefined) {
    form.length = text(request.steps);
    form.unit = 'steps';
  }
  for (const field of numberFields) if (request[field] !== undefined) form[field] = text(request[field]);
  if (request.decayAt) form.decayAt = request.decayAt.join(', ');
  if (request.approach) form.approach = request.approach;
  if (request.engine) form.engine = request.engine;
  if (request.precision) form.precision = request.precision;
  if (request.select) form.select = request.select;
  return form;
}
