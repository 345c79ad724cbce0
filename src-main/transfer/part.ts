import { z } from 'zod';
import type { Part, RunConfig } from '../../src-shared/domain.ts';
import type { Need, OptionDescription, PartDescription } from '../../src-shared/parts.ts';

/** Settings that a method begins with in place of a preset's; what a person gives goes before. */
export type PresetDefaults = Partial<Pick<RunConfig, 'learningRate' | 'headLearningRateMultiplier'>>;

/**
 * What everything that a training is put together from says of itself. Flags, YAML keys, form fields, facts of a run and the
 * documentation follow from it.
 */
export interface Described<Options extends z.ZodObject = z.ZodObject>
  extends Pick<PartDescription, 'name' | 'title' | 'help' | 'formula' | 'source' | 'when'> {
  /**
   * Each option with its default and bounds, and in its `meta` `title`, `description`, `unit` (`steps`: it is scaled with a
   * training's length) `of` and `strength` (see `OptionDescription`).
   */
  options: Options;
  needs?: readonly Need[];
  /** What other parts could need and find no more. */
  takesAway?: readonly Need[];
  /** What it learns or makes of the images before training: «learning the relationship». */
  prepares?: string;
  /** Experiments train it before anything else, as the row to beat; it chooses its settings for itself. */
  isBaseline?: boolean;
  /** It adds nothing to what every part adds to: beside others it is left out. */
  isPlain?: boolean;
  /** Names of parts that it cannot be put together with, and why. */
  excludes?: Record<string, string>;
  /** What it prepares is the trained network: there are no training steps. */
  closedForm?: boolean;
  defaults?: PresetDefaults;
}

/** The part of a registry that a configuration names, with its options checked. */
export function chosenFrom<D extends Described>(
  registry: readonly D[],
  { name, ...options }: Part,
  // biome-ignore lint/suspicious/noExplicitAny: checked against the part's own schema.
): { part: D; options: any } {
  const part = registry.find((one) => one.name === name);
  if (!part) throw new Error(`There is no part ${name}.`);
  return { part, options: part.options.parse(options) };
}

/** The description as data. */
export function describe({
  options,
  needs = [],
  takesAway = [],
  prepares,
  excludes = {},
  closedForm = false,
  isBaseline = false,
  ...words
}: Described): PartDescription {
  const { properties = {}, required = [] } = z.toJSONSchema(options, { io: 'input', unrepresentable: 'any' });
  return {
    name: words.name,
    title: words.title,
    help: words.help,
    formula: words.formula,
    source: words.source,
    when: words.when,
    options: Object.entries(properties).map(([name, schema]) =>
      describeOption(name, schema as Property, required.includes(name)),
    ),
    needs: [...needs],
    takesAway: [...takesAway],
    prepares: prepares ?? null,
    closedForm,
    isBaseline,
    excludes,
  };
}

type Property = z.core.JSONSchema.JSONSchema & Pick<OptionDescription, 'unit' | 'most' | 'of' | 'strength'>;

function describeOption(name: string, schema: Property, isRequired: boolean): OptionDescription {
  const choices = schema.enum as string[] | undefined;
  // An option without bounds is bounded by what JavaScript can count exactly: no bound for a person.
  const bound = (value: number | undefined) =>
    value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value;
  const bounds = {
    minimum: bound(schema.minimum),
    maximum: bound(schema.maximum),
    above: bound(schema.exclusiveMinimum as number | undefined),
    below: bound(schema.exclusiveMaximum as number | undefined),
    unit: schema.unit,
    most: schema.most,
    choices,
    required: isRequired || undefined,
    of: schema.of,
    strength: schema.strength,
  };
  return {
    name,
    title: schema.title ?? name,
    help: schema.description ?? '',
    type: choices ? 'choice' : typeOf(name, schema.type),
    default: (schema.default as OptionDescription['default']) ?? null,
    ...Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined)),
  };
}

function typeOf(name: string, type: Property['type']): OptionDescription['type'] {
  if (type === 'number' || type === 'integer') return type;
  if (type === 'boolean') return 'flag';
  if (type === 'array') return 'numbers';
  throw new Error(`The option ${name} is of a kind that no form or flag has: ${type}.`);
}
