import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { ParquetFile } from '../../formats/parquet/parquet-file.ts';
import { folderSplits } from '../annotations/folder-splits.ts';
import { LabelNames } from '../annotations/label-names.ts';
import { openParquet, parquetRows } from '../annotations/parquet-table.ts';
import { cellOf } from '../annotations/table.ts';
import { asNamed, baseName, folderOf, imagesBelow, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FormatOptions } from './format.ts';
import { some } from './layout.ts';
import { splitNameOf } from './split-names.ts';

/** `train-00000-of-00005` */
const shard = /-\d{5}-of-\d{5}.*$/;
const labelNames = /^(label|labels|fine_label|class|category|target|species)$/i;

const pathsOf = (tree: FileTree): readonly string[] =>
  asNamed(tree, indexOf(tree).byExtension.get('.parquet') ?? []);

export const parquet: DatasetFormat = {
  name: 'parquet',
  title: 'Parquet with images',
  help: 'data/train-00000-of-00005.parquet and its like, with the bytes of the images in a column and labels in another',
  source:
    'Hugging Face datasets features/image.py, features/features.py, data_files.py (SPLIT_PATTERN_SHARDED)',
  options: z.strictObject({
    label: z.string().default('').meta({
      title: 'Column of labels',
      description: 'where there are several, such as fine_label and coarse_label',
    }),
  }),
  async detect(tree) {
    for (const path of pathsOf(tree)) {
      const column = await imageColumn(tree, path).catch(() => null);
      if (column) return { confidence: 0.85, why: `${path} has images in its column ${column.name}.` };
    }
    // One that cannot be read is said by whoever reads it, unless there are images beside it.
    const [path] = pathsOf(tree);
    const isAlone = path !== undefined && imagesBelow(tree, '').next().done;
    return isAlone ? { confidence: 0.2, why: `${path} is a Parquet file.` } : null;
  },
  async *read(tree, options) {
    const shards = await shardsOf(tree, options);
    const names = new LabelNames();
    const known = classNamesIn(shards[0].file, shards[0].label);
    if (known) options.classes(known);
    else {
      for (const { file, path, label } of shards)
        for (const [value] of parquetRows(file, path, [label])) names.add(cellOf(value).trim(), '');
      await names.settle(tree, options);
    }
    let bad = 0;
    for (const { file, path, column, label, split } of shards) {
      const { container, within } = await tree.seekable(path);
      let row = 0;
      for (const [value] of parquetRows(file, path, [label])) {
        const text = cellOf(value).trim();
        const className = known ? (known[Number(text)] ?? null) : names.of(text);
        // Hugging Face marks what has no label by −1.
        if (className !== null && text !== '')
          yield {
            path: `${path}/${String(row).padStart(6, '0')}`,
            className,
            split,
            locator: { ...container, part: { kind: 'row', row, column, ...(within && { within }) } },
          };
        else bad++;
        row++;
      }
    }
    if (bad > 0)
      options.tell(
        `${bad === 1 ? '1 row has no label and was' : `${bad} rows have no label and were`} left out.`,
      );
  },
};

interface Shard {
  path: string;
  file: ParquetFile;
  /** The column with the bytes of images. */
  column: string;
  label: string;
  split: Split | null;
}

async function shardsOf(tree: FileTree, options: FormatOptions): Promise<Shard[]> {
  const splitOf = folderSplits(tree);
  const shards: Shard[] = [];
  for (const path of pathsOf(tree)) {
    const column = await imageColumn(tree, path);
    if (!column) continue;
    const file = await openParquet(tree, path);
    const word = baseName(path)
      .replace(/\.parquet$/i, '')
      .replace(shard, '');
    const split = splitNameOf(word)?.split ?? splitOf(folderOf(path));
    shards.push({ path, file, column: column.bytes, label: labelOf(path, file, options), split });
  }
  if (shards.length > 0) return shards;
  throw new CotuneError(
    'bad-input',
    'No Parquet file here has a column with the bytes of images.',
    'Images are in a column of bytes, or in the field bytes of a column such as image.',
  );
}

/** The column whose values begin as images do. */
async function imageColumn(tree: FileTree, path: string): Promise<{ name: string; bytes: string } | null> {
  const file = await openParquet(tree, path);
  for (const { name, fields, isBinary } of file.columns) {
    if (fields.includes('bytes')) return { name, bytes: `${name}.bytes` };
    if (isBinary && /image|img|picture|photo|bytes|jpe?g|png/i.test(name)) return { name, bytes: name };
  }
  return null;
}

function labelOf(path: string, file: ParquetFile, { columns, values }: FormatOptions): string {
  const names = file.columns.filter(({ fields }) => fields.length === 0).map(({ name }) => name);
  const said = columns.label ?? String(values.label ?? '');
  const found =
    said === '' ? names.find((name) => labelNames.test(name)) : names.find((name) => name === said);
  if (found !== undefined) return found;
  throw new CotuneError(
    'bad-input',
    said === ''
      ? `${path} has no column named like labels; it has ${some(names)}.`
      : `${path} has no column ${said}; it has ${some(names)}.`,
    'Say which it is: --option label=NAME.',
  );
}

/** `{"info": {"features": {"label": {"names": ["cat", …]}}}}`, as Hugging Face notes it; null without that. */
function classNamesIn(file: ParquetFile, label: string): string[] | null {
  try {
    const note = JSON.parse(file.notes.get('huggingface') ?? 'null');
    const names = note?.info?.features?.[label]?.names;
    return Array.isArray(names) && names.every((name) => typeof name === 'string') && names.length > 0
      ? names
      : null;
  } catch {
    return null;
  }
}
