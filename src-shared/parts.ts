/**
 * What a training is put together from (methods, extras, how images become input, an optimizer, a schedule) as data: descriptions, from which flags,
 * forms and pages are made, and what a run's configuration chose. Free of schemas, so that a page under a strict policy (no
 * eval) can import it.
 */
import type { Model, NetworkTraits, Part, PartsChoice, RunConfig } from './domain.ts';
import { layerTraits } from './names.ts';
import { settingTitle } from './setting-title.ts';

/** Places of a configuration that hold parts, in the order in which they are listed. */
export const slots = [
  'method',
  'extras',
  'resize',
  'crop',
  'augment',
  'sampling',
  'evaluation',
  'optimizer',
  'schedule',
] as const;
export type Slot = (typeof slots)[number];

/** What is said of a place: `one` of its parts is called, what it is for, whether it holds a list, and whether it is about pictures. */
export const places = {
  method: { title: 'Method', one: 'method', help: 'how to transfer', many: true, ofPictures: false },
  extras: {
    title: 'Extras',
    one: 'extra',
    help: 'what any method can have besides',
    many: true,
    ofPictures: false,
  },
  resize: {
    title: 'Resize',
    one: 'way to resize',
    help: 'how a picture of any shape becomes the square input, in training and wherever it is predicted',
    many: false,
    ofPictures: true,
  },
  crop: {
    title: 'Training crop',
    one: 'training crop',
    help: 'what training sees of a picture',
    many: false,
    ofPictures: true,
  },
  augment: {
    title: 'Augmentations',
    one: 'augmentation',
    help: 'what is changed at random in training pictures',
    many: true,
    ofPictures: true,
  },
  sampling: {
    title: 'Sampling',
    one: 'sampling',
    help: 'which pictures a batch is made of',
    many: false,
    ofPictures: true,
  },
  evaluation: {
    title: 'Evaluation',
    one: 'evaluation',
    help: 'what the trained network is tested on of each picture',
    many: false,
    ofPictures: true,
  },
  optimizer: {
    title: 'Optimizer',
    one: 'optimizer',
    help: 'from gradient to update',
    many: false,
    ofPictures: false,
  },
  schedule: {
    title: 'Learning rate schedule',
    one: 'schedule',
    help: 'course of the learning rate',
    many: false,
    ofPictures: false,
  },
} as const satisfies Record<
  Slot,
  { title: string; one: string; help: string; many: boolean; ofPictures: boolean }
>;

/** A place that holds one part. */
export type SingleSlot = { [S in Slot]: (typeof places)[S]['many'] extends false ? S : never }[Slot];

export const singleSlots = slots.filter((slot): slot is SingleSlot => !places[slot].many);

/**
 * What a part can ask of the pre-trained network, or of a run: `pretrained-weights` to begin with or to stay near to, `source-head` to
 * train it along, `source-predictions` to know what it predicts.
 */
export const needs = [
  'pretrained-weights',
  'source-head',
  'source-predictions',
  'relationship',
  'validation',
  ...layerTraits,
] as const;
export type Need = (typeof needs)[number];

/** `pre-trained weights` */
export const needTitle = (need: Need): string =>
  need.replaceAll('-', ' ').replace('pretrained', 'pre-trained');

/** The sentence for a network that has it not. */
const lacking: Record<(typeof layerTraits)[number], string> = {
  images: 'It is about images, and this network takes texts.',
  'batch-norm': 'This network has no batch norm.',
  blocks: 'This network has no blocks.',
  attention: 'This network has no attention.',
  dropout: 'This network has no dropout.',
  'stochastic-depth': 'This network has no branches that can be left out.',
  'linear-head':
    "This network's head is no linear layer, so that its optimum is not that of a logistic regression.",
};

/** One option of a part: what a flag, a field and a line of the documentation are made from. */
export interface OptionDescription {
  /** Its key in the configuration: `tradeOff`. */
  name: string;
  title: string;
  help: string;
  type: 'number' | 'integer' | 'numbers' | 'flag' | 'choice';
  /** Null where it follows from other settings, or has to be given. */
  default: number | string | boolean | number[] | null;
  /** What presets begin with where it is not the default, by their names. */
  presets?: Record<string, number | string | boolean | number[]>;
  minimum?: number;
  maximum?: number;
  /** A bound that is itself not allowed. */
  above?: number;
  below?: number;
  unit?: string;
  /** What of the chosen network is the largest that it can be. */
  most?: 'blocks';
  choices?: string[];
  /** Whether there is no training without it. */
  required?: boolean;
  /** Where the option names something that is on record: a finished run, by its number. */
  of?: 'run';
  /** Where the option says how strong the method is: factors on its default that a search may try, the published 1 first. */
  strength?: number[];
}

/** What a part says of itself. */
export interface PartDescription {
  name: string;
  title: string;
  /** A sentence that begins in lower case, without a full stop. */
  help: string;
  /** What it computes, in a line. */
  formula: string;
  /** Paper, equation. */
  source: string;
  /** When it helps, and when not. */
  when: string;
  options: OptionDescription[];
  needs: Need[];
  /** What it learns or makes of the images before training, as «learning the relationship»; null where nothing. */
  prepares: string | null;
  /** Whether what it prepares is the trained network: it is solved, and has no training steps, nor settings of these. */
  closedForm: boolean;
  /** Whether experiments train it before anything else, with what it chooses for itself, as the row to beat. */
  isBaseline: boolean;
  /** What other parts could need and find no more. */
  takesAway: Need[];
  /** Names of parts that it cannot be put together with, and why. */
  excludes: Record<string, string>;
}

export type Catalog = Record<Slot, PartDescription[]>;

/** The name of what a method is put together from: `cotuning+bss`. */
export const methodName = (method: readonly Part[]): string => method.map(({ name }) => name).join('+');

/** Names of the parts that a choice names, as a person wrote it: `cotuning+bss`, or a list of names and of parts with options. */
export const namesOfChoice = (choice: PartsChoice): string[] =>
  [choice]
    .flat()
    .flatMap((item) => (typeof item === 'string' ? item.split('+').map((name) => name.trim()) : [item.name]));

/**
 * What a person calls such a choice of methods: `cotuning+bss`, `cotuning (shuffled)`, `cotuning (trade off 1)`; by the titles of
 * a catalog `Co-tuning + BSS`, `Co-tuning (shuffled)`.
 */
export const choiceLabel = (choice: PartsChoice, catalog?: Catalog): string => {
  const named = (name: string) => catalog?.method.find((part) => part.name === name)?.title ?? name;
  return [choice]
    .flat()
    .map((item) => {
      if (typeof item === 'string')
        return namesOfChoice(item)
          .map(named)
          .join(catalog ? ' + ' : '+');
      const { name, ...options } = item;
      const words = Object.entries(options).map(([key, value]) =>
        value === true ? settingTitle(key) : `${settingTitle(key)} ${String(value)}`,
      );
      return words.length === 0 ? named(name) : `${named(name)} (${words.join(', ')})`;
    })
    .join(catalog ? ' + ' : '+');
};

/** The title of an option of a method by its name: of all settings only these stand on their own. */
export const optionTitle = (name: string, { method }: Catalog): string | undefined =>
  method.flatMap(({ options }) => options).find((option) => option.name === name)?.title;

/** Descriptions of the parts that a configuration chose, in its order; of unknown ones there are none. */
export const chosenParts = (config: Pick<RunConfig, Slot>, catalog: Catalog): PartDescription[] =>
  slots.flatMap((slot) =>
    [config[slot] ?? []].flat().flatMap(({ name }) => catalog[slot].find((part) => part.name === name) ?? []),
  );

/** What the chosen parts do before training, in words. */
export const preparationOf = (config: Pick<RunConfig, Slot>, catalog: Catalog): string =>
  chosenParts(config, catalog)
    .flatMap(({ prepares }) => prepares ?? [])
    .join(', ') || 'preparing';

/** Why a part cannot be used with a network, or null. */
export function whyNot(
  part: Pick<PartDescription, 'needs'>,
  model: Pick<Model, 'sourceClasses'>,
  { has }: NetworkTraits,
): string | null {
  const ofSource = ['source-head', 'source-predictions'] as const;
  if (ofSource.some((need) => part.needs.includes(need)) && model.sourceClasses.length < 2)
    return 'This network has no source head.';
  const missing = layerTraits.find((trait) => part.needs.includes(trait) && !has.includes(trait));
  return missing ? lacking[missing] : null;
}

/** A part whose options have a preset's values for defaults. */
export const underPreset = (part: PartDescription, preset: string): PartDescription => ({
  ...part,
  options: part.options.map((option) => ({ ...option, default: option.presets?.[preset] ?? option.default })),
});

/** The catalog with the bounds that a network sets. */
export function boundedBy(catalog: Catalog, traits: NetworkTraits): Catalog {
  const bounded = (option: OptionDescription) =>
    option.most ? { ...option, maximum: traits[option.most] } : option;
  return Object.fromEntries(
    slots.map((slot) => [
      slot,
      catalog[slot].map((part) => ({ ...part, options: part.options.map(bounded) })),
    ]),
  ) as Catalog;
}

/** Why chosen parts cannot go together, or null. */
export function whyNotTogether(
  chosen: readonly Pick<
    PartDescription,
    'name' | 'title' | 'needs' | 'takesAway' | 'excludes' | 'closedForm'
  >[],
): string | null {
  const solved = chosen.find(({ closedForm }) => closedForm);
  if (solved && chosen.length > 1)
    return `${solved.title} is solved, not trained: nothing can be put together with it.`;
  for (const one of chosen)
    for (const other of chosen) {
      if (one.excludes[other.name])
        return `${one.title} and ${other.title} cannot go together: ${one.excludes[other.name]}`;
      const gone = other.needs.find((need) => one.takesAway.includes(need));
      if (gone) return `${other.title} needs ${needTitle(gone)}, and ${one.title} leaves none.`;
    }
  return null;
}
