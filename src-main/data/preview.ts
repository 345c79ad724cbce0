import type { DatasetPreview, ImportChoice } from '../../src-shared/contract.ts';
import type { FormatOptions } from './formats/format.ts';
import { type DatasetPlace, openDataset } from './list-images.ts';

const shownImages = 20;

/**
 * What an import would read: how the dataset lies, and of a table its first rows with what its columns are taken for, else the
 * first images. `told` is called now and then while something is unpacked. Errors: as `listImages`.
 */
export async function previewDataset(
  place: DatasetPlace,
  choice: ImportChoice,
  unpackedFolder: string,
  told: () => void,
): Promise<DatasetPreview> {
  const { tree, format, why, said } = await openDataset(place, choice, unpackedFolder, told);
  const notes: string[] = [];
  const options: FormatOptions = {
    ...said,
    tell: (note) => void notes.push(note),
    issue: () => {},
    unlabelled: () => {},
    classes: () => {},
  };
  const table = (await format.preview?.(tree, options)) ?? null;
  const images: DatasetPreview['images'] = [];
  if (!table)
    for await (const { path, className, split, group, text } of format.read(tree, options))
      if (
        images.push({ path, className, split, group: group ?? null, ...(text && { text }) }) === shownImages
      )
        break;
  return { format: { name: format.name, title: format.title, why }, table, images, notes };
}
