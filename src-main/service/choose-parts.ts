import type { Model, Part, PartsChoice, RunConfig } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { nearest } from '../../src-shared/nearest.ts';
import { type Slot, whyNot, whyNotTogether } from '../../src-shared/parts.ts';
import { parts } from '../transfer/catalog.ts';
import { type Described, describe } from '../transfer/part.ts';
import { parseInput } from './parse-input.ts';

/** Parts as a person names them. */
export interface Choice {
  method: PartsChoice;
  extras?: PartsChoice;
  optimizer?: PartsChoice;
  schedule?: PartsChoice;
  /** Options by `part.option`, or by `option` where only one of the parts has it. */
  options?: Record<string, unknown>;
}

/** What is called so in each place, for sentences. */
const words: Record<Slot, string> = {
  method: 'method',
  extras: 'extra',
  optimizer: 'optimizer',
  schedule: 'schedule',
};

export type ChosenParts = Pick<RunConfig, Slot>;

/**
 * The parts that a choice names, each with all its options, in the order of the registry, and the names of the options that
 * none of them has. Errors: `bad-input` for unknown names, options out of bounds, and parts that cannot go together or not
 * with the network.
 */
export function chooseParts(
  { method, extras = [], optimizer = [], schedule = [], options = {} }: Choice,
  model: Pick<Model, 'name' | 'sourceClasses'>,
): { chosen: ChosenParts; unused: string[] } {
  const found = {
    method: named(method, 'method'),
    extras: named(extras, 'extras'),
    optimizer: one(named(optimizer, 'optimizer'), 'optimizer'),
    schedule: one(named(schedule, 'schedule'), 'schedule'),
  };
  if (found.method.length === 0)
    throw new CotuneError('bad-input', 'No method is named.', `Methods: ${namesIn('method').join(', ')}.`);
  const all = Object.values(found).flat();
  const unused = assign(options, all);
  const chosen = all.map(({ part }) => describe(part));
  const reason =
    chosen.map((part) => whyNot(part, model)).find((why) => why !== null) ?? whyNotTogether(chosen);
  if (reason)
    throw new CotuneError(
      'bad-input',
      `${chosen.map(({ name }) => name).join(', ')} with the network "${model.name}": ${reason}`,
      'Choose another method, or another network.',
    );
  const parsed = (list: Found[]): Part[] =>
    list.map(({ part, given }) => ({ name: part.name, ...parseInput(part.name, part.options, given) }));
  return {
    chosen: {
      method: parsed(found.method),
      extras: parsed(found.extras),
      optimizer: parsed(found.optimizer)[0],
      schedule: parsed(found.schedule)[0],
    },
    unused,
  };
}

interface Found {
  part: Described;
  given: Record<string, unknown>;
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
        `There is no ${words[slot]} "${name}".`,
        near ? `Did you mean "${near}"? There are: ${known.join(', ')}.` : `There are: ${known.join(', ')}.`,
      );
    }
    if (list.findIndex((other) => other.name === name) !== index)
      throw new CotuneError('bad-input', `The ${words[slot]} "${name}" is named twice.`, 'Name it once.');
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

function one(found: Found[], slot: Slot): Found[] {
  if (found.length > 1)
    throw new CotuneError(
      'bad-input',
      `${found.length} ${words[slot]}s are named; a run has one.`,
      `Name one of: ${namesIn(slot).join(', ')}.`,
    );
  return found.length === 1 ? found : [{ part: parts[slot][0], given: {} }];
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

/** `bad-input` where options are left that no part has, with what was likely meant. */
export function refuseUnused(unused: readonly string[], chosen: readonly ChosenParts[]): void {
  if (unused.length === 0) return;
  const chosenNames = new Set(
    chosen.flatMap(({ method, extras, optimizer, schedule }) =>
      [...method, ...extras, optimizer, schedule].map(({ name }) => name),
    ),
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

/** `trade-off`, `trade_off` and `tradeOff` name the same option. */
const camelCase = (key: string): string =>
  key.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
