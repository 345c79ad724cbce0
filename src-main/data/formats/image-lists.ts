import { z } from 'zod';
import { CotuneError } from '../../../src-shared/errors.ts';
import { plainName, refusal } from '../annotations/image-names.ts';
import { LabelNames } from '../annotations/label-names.ts';
import { type ImageList, imageLists, nameAndLabel } from '../annotations/list-files.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { baseName, folderOf } from '../annotations/tree-index.ts';
import type { DatasetFormat, FormatOptions } from './format.ts';
import { some } from './layout.ts';

export const imageListsFormat: DatasetFormat = {
  name: 'lists',
  title: 'Lists of images',
  help: 'text files with a path and a label on each line, or a path alone whose folder is the class; one for each split or rate: train.txt, test.txt, image_list/train_15.txt',
  source:
    'TLlib vision/datasets/imagelist.py; thuml/Batch-Spectral-Shrinkage ft-datalist/; COCO-70 in thuml/CoTuning',
  options: z.strictObject({
    rate: z.string().default('').meta({
      title: 'Rate',
      description:
        'which training list, by the number in its name, where there are several; without it the largest',
    }),
  }),
  async detect(tree) {
    const lists = (await imageLists(tree)).filter(({ share }) => share >= 0.5);
    if (lists.length === 0) return null;
    const hasSplit = lists.some(({ split }) => split === 'train');
    const what = lists.length === 1 ? 'names images of this dataset' : 'name images of this dataset';
    return {
      confidence: lists[0].path === tree.named ? 1 : hasSplit ? 0.8 : 0.5,
      why: `${some(lists.map(({ path }) => path))} ${what}, one per line.`,
    };
  },
  async *read(tree, options) {
    const lists = chosenLists(await imageLists(tree), options);
    const names = new LabelNames();
    for (const { path } of lists.filter(({ labelled }) => labelled))
      for (const { text } of await textLines(tree, path)) {
        const { name, label } = nameAndLabel(text);
        if (!refusal(plainName(name, tree.folder))) names.add(label, parentOf(name));
      }
    await names.settle(tree, options);
    const listed = new ListedImages(tree, options);
    for (const { path: file, folder, split, labelled } of lists) {
      for (const { text, line } of await textLines(tree, file)) {
        const { name, label } = nameAndLabel(text);
        const className = labelled ? names.of(label) : parentOf(name);
        const where = { file, at: `line ${line}` };
        if (className === null) {
          listed.badRow(where, label === '' ? 'it has no label' : `its label is ${label.slice(0, 80)}`);
          continue;
        }
        const image = listed.image(folder, name, { className, split, where });
        if (image) yield image;
      }
    }
    listed.finish(some(lists.map(({ path }) => path)));
  },
};

/** The name of the folder that a file lies in, by its path. */
const parentOf = (path: string): string => baseName(folderOf(path.replaceAll('\\', '/')));

/**
 * One list for each split: of the family that most of the lists here belong to, and for training at the rate that was asked
 * for, else the largest.
 */
function chosenLists(all: readonly ImageList[], { tell, values }: FormatOptions): ImageList[] {
  if (all.length === 0)
    throw new CotuneError(
      'bad-input',
      'No text file here names images of this dataset, one per line.',
      'A line is a path and a label: train/cat/1.jpg 0.',
    );
  const [family, ...others] = [...Map.groupBy(all, (list) => list.family).values()].sort(
    (a, b) => worth(b) - worth(a),
  );
  if (others.length > 0)
    tell(
      `Lists that belong to something else were not read: ${some(others.flat().map(({ path }) => path))}.`,
    );
  const bySplit = Map.groupBy(family, ({ split }) => split);
  return [...bySplit].flatMap(([split, lists]) => {
    if (split !== 'train') return lists;
    // Beside a list of validation images, trainval.txt is the sum of both.
    const alone = bySplit.has('val') ? lists.filter(({ path }) => !/trainval/i.test(baseName(path))) : lists;
    return [atRate(alone.length > 0 ? alone : lists, values.rate, tell)];
  });
}

/** A family is worth as much as it finds, with a training list before any without. */
const worth = (lists: readonly ImageList[]): number =>
  Math.max(...lists.map(({ share }) => share)) + (lists.some(({ split }) => split === 'train') ? 1 : 0);

function atRate(lists: readonly ImageList[], asked: unknown, tell: (note: string) => void): ImageList {
  const sorted = lists.toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0));
  const rates = sorted.map(({ rate, path }) => (rate === null ? path : String(rate)));
  const chosen = asked === '' ? sorted[0] : sorted.find((_, index) => rates[index] === asked);
  if (!chosen)
    throw new CotuneError(
      'bad-input',
      `There is no training list with the rate ${asked}.`,
      `Choose one of ${rates.join(', ')}.`,
    );
  if (lists.length > 1)
    tell(
      `The training images are those of ${chosen.path}, of ${lists.length} lists; the option rate chooses another: ${rates.join(', ')}.`,
    );
  return chosen;
}
