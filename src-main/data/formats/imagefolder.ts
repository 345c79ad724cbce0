import { CotuneError } from '../../../src-shared/errors.ts';
import { imagesInTables, type PlannedTable, planTable, previewOf } from '../annotations/table-plan.ts';
import { indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FormatOptions } from './format.ts';

const files = ['metadata.csv', 'metadata.jsonl', 'metadata.parquet'];
/** The column that Hugging Face looks for. */
const fileColumn = /^(file_name|.*_file_name)$/;

const pathsOf = (tree: FileTree): string[] =>
  files.flatMap((name) => indexOf(tree).others.get(name) ?? []).slice(0, 1000);

export const imagefolder: DatasetFormat = {
  name: 'imagefolder',
  title: 'Hugging Face imagefolder',
  help: 'metadata.csv, metadata.jsonl or metadata.parquet with a column file_name beside the images, in one folder or in each of train/, validation/ and test/; labels are its columns, not the folders',
  source: 'Hugging Face datasets packaged_modules/folder_based_builder, data_files.py',
  async detect(tree) {
    for (const path of pathsOf(tree)) {
      const planned = await planTable(tree, path, {}).catch(() => null);
      if (planned?.table.columns.some((name) => fileColumn.test(name)))
        return {
          confidence: 0.88,
          why: `${path} has a column of files, file_name, as Hugging Face's imagefolder wants it.`,
        };
    }
    return null;
  },
  preview: async (tree, options) => previewOf(await plannedTables(tree, options)),
  async *read(tree, options) {
    const planned = await plannedTables(tree, options);
    options.tell('The labels are those of the metadata: with it, folders are no labels.');
    yield* imagesInTables(tree, planned, options);
  },
};

async function plannedTables(tree: FileTree, { columns }: FormatOptions): Promise<PlannedTable[]> {
  const planned: PlannedTable[] = [];
  for (const path of pathsOf(tree)) {
    const one = await planTable(tree, path, columns);
    if (one) planned.push(one);
  }
  if (planned.length > 0) return planned;
  throw new CotuneError(
    'bad-input',
    'There is no metadata.csv, metadata.jsonl or metadata.parquet here that names images.',
    'It has a column file_name, relative to its own folder, and a column such as label.',
  );
}
