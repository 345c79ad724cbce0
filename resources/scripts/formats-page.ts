/** Writes `docs/formats.md` from what every dataset format says of itself. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describeFormat } from '../../src-main/data/formats/describe-format.ts';
import { datasetFormats } from '../../src-main/data/formats/index.ts';
import type { DatasetFormatDescription } from '../../src-shared/contract.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const pagePath = `${root}docs/formats.md`;

/** The page as it should be; tests are found by the names that they, and the datasets that they draw, mention. */
export function page(): string {
  const textOf = (path: string) => readFileSync(`${root}${path}`, 'utf8');
  const tests = readdirSync(`${root}test/unit`)
    .filter((name) => /^(dataset|layout|parquet|import|archive).*\.test\.ts$/.test(name))
    .map((name) => ({ path: `test/unit/${name}`, text: textOf(`test/unit/${name}`) }));
  // What the table of miniatures holds is held by the test that goes through it.
  const miniatures = textOf('test/dataset-miniatures.ts');
  const holds = ({ path, text }: (typeof tests)[number], name: string) =>
    text.includes(`'${name}'`) ||
    text.includes(`/formats/${name}.ts'`) ||
    (path.endsWith('/dataset-formats.test.ts') && miniatures.includes(`format: '${name}'`));
  const testsOf = (name: string) => tests.filter((test) => holds(test, name)).map(({ path }) => path);
  return formatsPage(datasetFormats.map(describeFormat), testsOf);
}

function formatsPage(
  formats: readonly DatasetFormatDescription[],
  testsOf: (name: string) => readonly string[],
): string {
  return [
    '# Dataset formats',
    '',
    'Made from what each format says of itself by `npm run docs`. An import finds out how a dataset lies and says what it was known by;',
    '`--format NAME` decides. `cotune import PATH --preview` shows the first rows without importing anything. An option is given as',
    '`--option NAME=VALUE`, a column of a table as `--column label=NAME` (file, label, split, group, or',
    '`crop=LEFT,TOP,WIDTH,HEIGHT`; nothing behind `=`: no column). A file that is named and not there, and a row that cannot be used, is a finding of the import;',
    'addresses, absolute paths out of the folder and `..` are not followed.',
    ...formats.flatMap((format) => sectionOf(format, testsOf(format.name))),
    '',
  ].join('\n');
}

function sectionOf(
  { name, title, help, source, options }: DatasetFormatDescription,
  tests: readonly string[],
): string[] {
  return [
    '',
    `## ${title} (\`${name}\`)`,
    '',
    `- What lies where: ${help}`,
    `- Source: ${source}`,
    ...(tests.length > 0 ? [`- Held by: ${tests.map((path) => `\`${path}\``).join(', ')}`] : []),
    ...(options.length > 0
      ? [
          '',
          '| option | default | choices | what it is |',
          '|---|---|---|---|',
          ...options.map(
            (option) =>
              `| \`${option.name}\` | ${option.default || 'none'} | ${option.choices.join(', ') || 'any'} | ${option.help} |`,
          ),
        ]
      : []),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(pagePath, page());
