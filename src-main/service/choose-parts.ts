import type { Model, Part, PartsChoice, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { methodName, places, type Slot, slots, whyNot, whyNotTogether } from '../../src-shared/parts.ts';
import { stepSettings } from '../../src-shared/run-settings.ts';
import { traitsOf } from '../backbones/traits.ts';
import { parts } from '../transfer/catalog.ts';
import { type Described, describe, type PresetDefaults } from '../transfer/part.ts';
import { parseInput } from './parse-input.ts';

/** Parts as a person names them, by place. */
export type Choice = Partial<Record<Slot, PartsChoice>> & {
  method: PartsChoice;
  /** Options by `part.option`, or by `option` where only one of the parts has it. */
  options?: Record<string, unknown>;
};

export type ChosenParts = Pick<RunConfig, Slot>;

/**
 * The parts that a choice names, each with all its options, in the order of the registry, and the names of the options that
 * none of them has. `usual` are the parts of places that the choice leaves open, and options of parts that it leaves open. For a
 * method in closed form what is chosen for training steps counts for nothing.
 * Errors: `bad-input` for unknown names, options out of bounds, and parts that cannot go together or not with the network.
 */
export function chooseParts(
  { options = {}, ...choice }: Choice,
  model: Pick<Model, 'name' | 'architecture' | 'text' | 'sourceClasses'>,
  usual: Partial<Record<Slot, Part | Part[]>> = {},
): {
  chosen: ChosenParts;
  unused: string[];
  closedForm: boolean;
  /** What the chosen methods begin with in place of a preset's settings. */
  defaults: PresetDefaults;
} {
  const method = foundIn('method', choice.method, []);
  const closedForm = method.some(({ part }) => part.closedForm);
  const isIdle = (slot: Slot) => closedForm && stepSettings.some((setting) => setting === slot);
  const own = model.text ? slots.filter((slot) => !places[slot].ofPictures) : slots;
  const foreign = slots.find((slot) => !own.includes(slot) && choice[slot] !== undefined);
  if (foreign)
    throw new CotuneError(
      'bad-input',
      `"${foreign}" is about pictures, and the network "${model.name}" takes texts.`,
      'Leave it out.',
    );
  const found = Object.fromEntries(
    own.map((slot) => [
      slot,
      isIdle(slot) ? foundIn(slot, undefined, []) : foundIn(slot, choice[slot], [usual[slot] ?? []].flat()),
    ]),
  ) as Partial<Record<Slot, Found[]>> & Record<'method' | 'extras', Found[]>;
  if (found.method.length === 0)
    throw new CotuneError('bad-input', 'No method is named.', `Methods: ${namesIn('method').join(', ')}.`);
  const all = Object.values(found).flat();
  const unused = assign(options, all);
  const traits = traitsOf(model);
  const chosen = all.map(({ part }) => describe(part));
  const reason =
    chosen.map((part) => whyNot(part, model, traits)).find((why) => why !== null) ??
    whyNotTogether([...found.method, ...found.extras].map(({ part }) => describe(part))) ??
    whyNotTogether(chosen.filter((part) => !part.closedForm));
  if (reason)
    throw new CotuneError(
      'bad-input',
      `${found.method.map(({ part }) => part.name).join('+')} with the network "${model.name}": ${reason}`,
      'Choose another method, or another network.',
    );
  const parsed = ({ part, given }: Found): Part => {
    const options = parseInput(part.name, part.options, given);
    for (const { name, most } of describe(part).options)
      if (most && (options[name] as number) > traits[most])
        throw new CotuneError(
          'bad-input',
          `${part.name}: "${name}" is ${options[name]}, and the network "${model.name}" has ${traits[most]} ${most}.`,
          `"${name}" has to be at most ${traits[most]}.`,
        );
    return { name: part.name, ...options };
  };
  const parts = own.map((slot) => {
    const list = found[slot]!.map(parsed);
    return [slot, places[slot].many ? list : list[0]];
  });
  return {
    chosen: Object.fromEntries(parts) as ChosenParts,
    unused,
    closedForm,
    defaults: Object.assign({}, ...found.method.map(({ part }) => part.defaults)),
  };
}

interface Found {
  part: Described;
  given: Record<string, unknown>;
}

/** The parts of a place: those that are named, else the usual ones, else the first where it needs one. */
function foundIn(slot: Slot, choice: PartsChoice | undefined, usual: readonly Part[]): Found[] {
  const { many } = places[slot];
  const found = choice === undefined ? [] : named(choice, slot);
  if (!many && found.length > 1)
    throw new CotuneError(
      'bad-input',
      `${places[slot].title}: ${found.length} are named; a run has one.`,
      `Name one of: ${namesIn(slot).join(', ')}.`,
    );
  const open = choice === undefined || (!many && found.length === 0);
  const begun = open ? named([...usual], slot) : found;
  const all = begun.length === 0 && !many ? [{ part: parts[slot][0], given: {} }] : begun;
  return all.map(({ part, given }) => {
    const { name: _, ...options } = usual.find(({ name }) => name === part.name) ?? { name: '' };
    return { part, given: { ...options, ...given } };
  });
}

const namesIn = (slot: Slot): string[] => parts[slot].map(({ name }) => name);

/** `cotuning+bss`, or a list of names and of parts with options; a part that adds nothing stands only by itself. */
function named(choice: PartsChoice, slot: Slot): Found[] {
  const list = [choice]
    .flat()
    .flatMap((item): Part[] =>
      typeof item === 'string' ? item.split('+').map((name) => ({ name: name.trim() })) : [item as Part],
    );
  const known = namesIn(slot);
  for (const [index, { name }] of list.entries()) {
    if (!known.includes(name)) {
      const near = nearest(name, known);
      throw new CotuneError(
        'bad-input',
        `There is no ${places[slot].one} "${name}".`,
        near ? `Did you mean "${near}"? There are: ${known.join(', ')}.` : `There are: ${known.join(', ')}.`,
      );
    }
    if (list.findIndex((other) => other.name === name) !== index)
      throw new CotuneError(
        'bad-input',
        `The ${places[slot].one} "${name}" is named twice.`,
        'Name it once.',
      );
  }
  const found = parts[slot].flatMap((part) => {
    const chosen = list.find(({ name }) => name === part.name);
    if (!chosen) return [];
    const { name: _, ...given } = chosen;
    return [
      {
        part,
        given: Object.fromEntries(Object.entries(given).map(([key, value]) => [camelCase(key), value])),
      },
    ];
  });
  return slot === 'method' && found.length > 1 ? found.filter(({ part }) => !part.isPlain) : found;
}

/** Gives options to the parts that have them; returns the names of those that nobody has. */
function assign(options: Record<string, unknown>, found: Found[]): string[] {
  const unused: string[] = [];
  for (const [key, value] of Object.entries(options)) {
    const dot = key.indexOf('.');
    const [owner, option] = [dot < 0 ? null : key.slice(0, dot), camelCase(key.slice(dot + 1))];
    const owners = found.filter(
      ({ part }) => Object.hasOwn(part.options.shape, option) && (owner === null || part.name === owner),
    );
    if (owners.length === 0) unused.push(key);
    else if (owners.length > 1)
      throw new CotuneError(
        'bad-input',
        `"${key}" is an option of ${owners.map(({ part }) => part.name).join(' and of ')}.`,
        `Say which: ${owners.map(({ part }) => `${part.name}.${key}`).join(' or ')}.`,
      );
    else owners[0].given[option] = value;
  }
  return unused;
}

/** `bad-input` where options or settings are left that no run has a use for, with what was likely meant. */
export function refuseUnused(unused: readonly string[], chosen: readonly ChosenParts[]): void {
  if (unused.length === 0) return;
  const ofSteps = stepRequests.find((key) => unused.includes(key));
  if (ofSteps)
    throw new CotuneError(
      'bad-input',
      `"${ofSteps}" is a setting of training steps, and ${methodName(chosen[0].method)} is solved without any.`,
      'Leave it out.',
    );
  const chosenNames = new Set(
    chosen.flatMap((config) => slots.flatMap((slot) => [config[slot] ?? []].flat().map(({ name }) => name))),
  );
  const known = Object.values(parts)
    .flat()
    .flatMap((part) => Object.keys(part.options.shape).map((option) => ({ part: part.name, option })));
  const [key] = unused;
  const option = camelCase(key.slice(key.indexOf('.') + 1));
  const owners = known.filter((one) => one.option === option && !chosenNames.has(one.part));
  const near = nearest(
    key,
    known.filter(({ part }) => chosenNames.has(part)).map((one) => one.option),
  );
  throw new CotuneError(
    'bad-input',
    `"${key}" is not an option of ${[...chosenNames].join(', ')}.`,
    owners.length > 0
      ? `It is one of ${owners.map(({ part }) => part).join(', ')}.`
      : near
        ? `Did you mean "${near}"?`
        : 'Check the spelling.',
  );
}

/** What a request may say of training steps. */
export const stepRequests = [...stepSettings, 'epochs'] as const;

/** `trade-off`, `trade_off` and `tradeOff` name the same option. */
const camelCase = (key: string): string =>
  key.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
