import { tableExtensions } from '../annotations/table.ts';
import { imagesInTables, type PlannedTable, planTable, previewOf } from '../annotations/table-plan.ts';
import { asNamed, baseName, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FormatOptions } from './format.ts';
import { some } from './layout.ts';
import { splitNameOf } from './split-names.ts';

/** Tables that no dataset's labels are in, by their names. */
const otherTables = /submission|requirements|package(-lock)?\.json|dataset_?infos?\.json/i;
const maxTables = 100;
/** Of a JSON file that may hold an array of rows; annotations of another kind are larger. */
const maxJsonBytes = 64 * 2 ** 20;

export const tables: DatasetFormat = {
  name: 'tables',
  title: 'Tables of images',
  help: 'CSV, TSV or JSON lines with a column of files and one of labels, or a column for each class; with or without columns of splits, groups and crops',
  source: 'fastai vision/data.py from_csv and from_df; Kaggle; Roboflow _classes.csv',
  async detect(tree) {
    const { planned } = await plannedTables(tree, {});
    const found = planned.filter(({ guess }) => guess.share >= 0.5);
    const labelled = found.filter(({ guess }) => guess.label !== undefined || guess.oneHot !== undefined);
    if (labelled.length === 0) return null;
    const [{ table, guess }] = labelled;
    const what =
      guess.label === undefined ? `${guess.oneHot!.length} columns of classes` : `labels (${guess.label})`;
    return {
      confidence: tree.named === table.path ? 1 : 0.7,
      why: `${table.path} has a column of files (${guess.file}) and ${what}.`,
    };
  },
  preview: async (tree, options) => previewOf(await chosenTables(tree, options)),
  async *read(tree, options) {
    yield* imagesInTables(tree, await chosenTables(tree, options), options);
  },
};

/** The tables of a tree that name images of it, and what was wrong with the first that cannot be read. */
async function plannedTables(
  tree: FileTree,
  said: FormatOptions['columns'],
): Promise<{ planned: PlannedTable[]; problem: unknown }> {
  const { byExtension } = indexOf(tree);
  const all = tableExtensions.flatMap((extension) => byExtension.get(extension) ?? []);
  const paths = asNamed(tree, all)
    .filter((path) => !otherTables.test(baseName(path)))
    .filter((path) => !path.endsWith('.json') || tree.files.get(path)!.bytes <= maxJsonBytes)
    .slice(0, maxTables);
  const planned: PlannedTable[] = [];
  let problem: unknown = null;
  for (const path of paths) {
    const one = await planTable(tree, path, said).catch((error) => {
      problem ??= error;
      return null;
    });
    if (one) planned.push(one);
  }
  return { planned, problem };
}

/** One table for each split, or the one that names the most: two that say the same would say it twice. */
async function chosenTables(
  tree: FileTree,
  options: Pick<FormatOptions, 'columns' | 'tell'>,
): Promise<PlannedTable[]> {
  const { planned: all, problem } = await plannedTables(tree, options.columns);
  if (all.length === 0 && problem) throw problem;
  const families = Map.groupBy(all, ({ table }) => {
    const word = baseName(table.path).replace(/\.\w+$/, '');
    const name = splitNameOf(word);
    return name ? name.rest : word;
  });
  const worth = (members: readonly PlannedTable[]) =>
    members.filter(({ guess }) => guess.label !== undefined || guess.oneHot !== undefined).length +
    Math.max(...members.map(({ guess }) => guess.share));
  const [chosen = [], ...others] = [...families.values()].sort((a, b) => worth(b) - worth(a));
  if (others.length > 0)
    options.tell(`Other tables were not read: ${some(others.flat().map(({ table }) => table.path))}.`);
  return chosen;
}
