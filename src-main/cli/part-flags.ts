import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Catalog,
  type OptionDescription,
  type PartDescription,
  places,
  slots,
} from '../../src-shared/parts.ts';
import { number } from './session.ts';

/** Adds a flag for every kind of part and for every option of every part: `--cotuning.trade-off`, or just `--trade-off`. */
export function addPartFlags(command: Command, catalog: Catalog): void {
  for (const slot of slots) {
    const { help, many } = places[slot];
    const several = many ? '; several as one+other' : '';
    command.addOption(
      new Option(
        `--${slot} ${many ? '<names>' : '<name>'}`,
        `${help}${several}: ${namesOf(catalog[slot])}`,
      ).argParser(partNames(catalog[slot])),
    );
  }
  const short = new Map<string, OptionDescription>();
  for (const { name, title, options } of slots.flatMap((slot) => catalog[slot]))
    for (const option of options) {
      command.addOption(flagOf(`${name}.${kebab(option.name)}`, option).helpGroup(`${title}:`));
      const known = short.get(option.name);
      const choices = [...new Set([...(known?.choices ?? []), ...(option.choices ?? [])])];
      short.set(option.name, { ...option, ...(choices.length > 0 ? { choices } : {}) });
    }
  for (const [name, option] of short) command.addOption(flagOf(kebab(name), option).hideHelp());
  command.addHelpText(
    'after',
    '\nAn option may be given by its own name where only one of the chosen parts has it: --trade-off 2.3',
  );
}

/** The options of parts that were given, as a request has them. */
export function givenPartOptions(given: object, catalog: Catalog): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const part of slots.flatMap((slot) => catalog[slot]))
    for (const option of part.options)
      for (const key of [option.name, `${part.name}.${option.name}`]) {
        const value = (given as Record<string, unknown>)[new Option(`--${kebab(key)}`).attributeName()];
        if (value !== undefined) options[key] = value;
      }
  return options;
}

const namesOf = (parts: readonly PartDescription[]): string => parts.map(({ name }) => name).join(', ');

/** Checks `one+other`, so that a wrong name is a matter of usage. */
const partNames = (parts: readonly PartDescription[]) => (text: string) => {
  const wrong = text.split('+').find((name) => !parts.some((part) => part.name === name.trim()));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`There is no "${wrong}". Allowed choices are ${namesOf(parts)}.`);
  return text;
};

function flagOf(name: string, option: OptionDescription): Option {
  const { help, type, choices, unit } = option;
  const presets = Object.entries(option.presets ?? {}).map(([preset, begun]) => `, ${preset}: ${begun}`);
  const usual =
    option.default === null
      ? ''
      : ` (default: ${String(option.default)}${unit ? ` ${unit}` : ''}${presets.join('')})`;
  if (type === 'flag') return new Option(`--${name}`, `${help}${usual}`);
  const value = type === 'choice' ? 'name' : type === 'numbers' ? 'list' : 'n';
  const flag = new Option(`--${name} <${value}>`, `${help}${usual}`);
  if (choices) return flag.choices(choices);
  return type === 'numbers' ? flag.argParser(numbers) : flag.argParser(number);
}

function numbers(text: string): number[] {
  const values = text.split(/[\s,]+/).filter(Boolean);
  if (values.some((value) => !Number.isFinite(Number(value))))
    throw new InvalidArgumentError('It is not a list of numbers.');
  return values.map(Number);
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
