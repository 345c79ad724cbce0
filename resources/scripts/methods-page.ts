/** Writes `docs/methods.md` from what every method, extra, optimizer and schedule says of itself. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalog } from '../../src-main/transfer/catalog.ts';
import type { Catalog, OptionDescription, PartDescription, Slot } from '../../src-shared/parts.ts';
import { needTitle, places, slots } from '../../src-shared/parts.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const pagePath = `${root}docs/methods.md`;

/** The page as it should be; tests are found by the names that they mention. */
export function page(): string {
  const tests = readdirSync(`${root}test/unit`)
    .filter(
      (name) =>
        name.endsWith('.test.ts') &&
        /^(method|term|run-config|augment|sampling|resiz|evaluation|training-crop)/.test(name),
    )
    .map((name) => ({ path: `test/unit/${name}`, text: readFileSync(`${root}test/unit/${name}`, 'utf8') }));
  return methodsPage(catalog(), (part) =>
    tests.filter(({ text }) => text.includes(`'${part}'`)).map(({ path }) => path),
  );
}

const headings: Partial<Record<Slot, string>> = {
  method: 'Methods',
  optimizer: 'Optimizers',
  schedule: 'Learning rate schedules',
};
/** What is worth saying of some places besides. */
const words: Partial<Record<Slot, string>> = {
  method: 'It is added to cross-entropy on your labels. The first is the baseline.',
};

const intro = (slot: Slot): string =>
  [
    `${capitalized(places[slot].help)}: \`--${slot} ${places[slot].many ? 'one+other' : 'NAME'}\`.`,
    words[slot] ?? (places[slot].many ? 'By default none.' : 'The first is the default.'),
  ].join(' ');

/** The page about everything that a training can be put together from; `testsOf` names the tests of a part. */
function methodsPage(catalog: Catalog, testsOf: (name: string) => readonly string[]): string {
  return [
    '# Methods',
    '',
    'Made from what each part says of itself by `npm run docs`. An option is given as `--cotuning.trade-off 2.3`, or by its own name',
    'where only one of the chosen parts has it; in a settings file as `cotuning: { trade_off: 2.3 }`. A method of your own is one file like',
    'those in `src-main/transfer/methods/`: name it in the environment variable `COTUNE_METHODS`, and it is in the command line, in settings',
    'files and in the app.',
    ...slots.flatMap((slot) => [
      '',
      `## ${headings[slot] ?? places[slot].title}`,
      '',
      intro(slot),
      ...catalog[slot].flatMap((part) => sectionOf(part, testsOf(part.name))),
    ]),
    '',
  ].join('\n');
}

function sectionOf(part: PartDescription, tests: readonly string[]): string[] {
  const excluded = Object.entries(part.excludes).map(([name, why]) => `Not with \`${name}\`: ${why}`);
  return [
    '',
    `### ${part.title} (\`${part.name}\`)`,
    '',
    `${capitalized(part.help)}.`,
    '',
    `- Formula: ${part.formula}`,
    `- Source: ${part.source}`,
    `- When: ${part.when}`,
    ...(part.needs.length > 0 ? [`- Needs: ${part.needs.map(needTitle).join(', ')}`] : []),
    ...(excluded.length > 0 ? [`- ${excluded.join(' ')}`] : []),
    ...(tests.length > 0 ? [`- Held by: ${tests.map((path) => `\`${path}\``).join(', ')}`] : []),
    ...(part.options.length > 0
      ? ['', '| option | default | bounds | what it is |', '|---|---|---|---|', ...part.options.map(rowOf)]
      : []),
  ];
}

const rowOf = (option: OptionDescription): string =>
  `| \`${option.name}\` | ${defaultOf(option)} | ${boundsOf(option)} | ${option.help} |`;

const defaultOf = ({ default: usual, presets = {}, unit, required }: OptionDescription): string => {
  if (required) return 'none: it has to be given';
  const own = usual === null ? 'follows from the rest' : `${String(usual)}${unit ? ` ${unit}` : ''}`;
  return [own, ...Object.entries(presets).map(([preset, value]) => `with \`${preset}\` ${value}`)].join('; ');
};

function boundsOf({ type, choices, minimum, maximum, above, below }: OptionDescription): string {
  if (choices) return choices.join(', ');
  if (type === 'flag') return 'yes or no';
  const bounds = [
    minimum !== undefined && `≥ ${minimum}`,
    above !== undefined && `> ${above}`,
    maximum !== undefined && `≤ ${maximum}`,
    below !== undefined && `< ${below}`,
  ].filter(Boolean);
  return `${type === 'integer' ? 'whole ' : ''}${bounds.join(', ')}` || 'any';
}

const capitalized = (text: string): string => text[0].toUpperCase() + text.slice(1);

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(pagePath, page());
