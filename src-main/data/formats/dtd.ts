import { z } from 'zod';
import { splits } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderOf, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const partitions = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'] as const;

const baseOf = (tree: FileTree) => folderWith(tree, ['labels/train1.txt', 'labels/test1.txt']);

export const dtd: DatasetFormat = {
  name: 'dtd',
  title: 'Describable Textures',
  help: 'labels/train1.txt, labels/val1.txt, labels/test1.txt and so on to 10, beside images/ with a folder per class',
  source:
    'Cimpoi, Maji, Kokkinos, Mohamed, Vedaldi, «Describing Textures in the Wild», CVPR 2014; torchvision datasets/dtd.py',
  options: z.strictObject({
    partition: z
      .enum(partitions)
      .default('1')
      .meta({ title: 'Partition', description: 'which of the ten official divisions into splits' }),
  }),
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.95, why: 'labels/ holds train1.txt and test1.txt.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const { partition } = options.values;
    options.tell(`The splits are those of partition ${partition}, one of the ten that the dataset has.`);
    const listed = new ListedImages(tree, options);
    for (const split of splits) {
      const file = below(base, `labels/${split}${partition}.txt`);
      if (!tree.files.has(file)) throw withoutPartition(file);
      for (const { text, line } of await textLines(tree, file)) {
        const where = { file, at: `line ${line}` };
        const image = listed.image(below(base, 'images'), text, { className: folderOf(text), split, where });
        if (image) yield image;
      }
    }
    listed.finish(`partition ${partition}`, below(base, 'images'));
  },
};

const withoutPartition = (file: string): CotuneError =>
  new CotuneError(
    'bad-input',
    `There is no ${file}.`,
    'Choose another partition, or unpack the dataset again.',
  );
