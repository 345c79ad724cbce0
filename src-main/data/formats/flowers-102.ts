import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { byNumber, numbered } from '../annotations/class-names.ts';
import { jsonObject } from '../annotations/json-members.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { matVariable, numbersIn } from '../annotations/mat-file.ts';
import { below, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const variables: readonly [Split, string][] = [
  ['train', 'trnid'],
  ['val', 'valid'],
  ['test', 'tstid'],
];
/** A list of names that copies of the dataset come with. */
const namesFile = 'cat_to_name.json';

const baseOf = (tree: FileTree) => folderWith(tree, ['setid.mat', 'imagelabels.mat']);

export const flowers102: DatasetFormat = {
  name: 'flowers-102',
  title: 'Flowers-102',
  help: 'jpg/image_00001.jpg and so on beside imagelabels.mat and setid.mat',
  source:
    'Nilsback, Zisserman, «Automated Flower Classification over a Large Number of Classes», 2008; torchvision datasets/flowers102.py',
  archives: 'in-place',
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.95, why: 'setid.mat and imagelabels.mat lie side by side.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const labels = numbersIn(await matVariable(tree, below(base, 'imagelabels.mat'), 'labels'));
    const numbers = [...new Set(labels)].filter(Number.isInteger).sort((a, b) => a - b);
    const classes = (await namesOf(tree, base, numbers)) ?? numbered(numbers);
    options.classes(numbers.map((number) => classes.get(number)!));
    if (!tree.files.has(below(base, namesFile)))
      options.tell('The files of Flowers-102 name no classes: they are called by their numbers.');
    const listed = new ListedImages(tree, options);
    const counts: Record<Split, number> = { train: 0, val: 0, test: 0 };
    const file = below(base, 'setid.mat');
    for (const [split, variable] of variables) {
      for (const [index, id] of numbersIn(await matVariable(tree, file, variable)).entries()) {
        const where = { file, at: `${variable}(${index + 1})` };
        const className = classes.get(labels[id - 1]);
        if (className === undefined) {
          listed.badRow(where, `imagelabels.mat has no label for image ${id}`);
          continue;
        }
        const name = `image_${String(id).padStart(5, '0')}.jpg`;
        const image = listed.image(below(base, 'jpg'), name, { className, split, where });
        if (!image) continue;
        counts[split]++;
        yield image;
      }
    }
    listed.finish('setid.mat', below(base, 'jpg'));
    if (counts.test > 2 * counts.train)
      options.tell(
        `The official splits are unusual: ${counts.test} test images against ${counts.train} for training and ${counts.val} for validation.`,
      );
  },
};

/** `{"21": "fire lily", …}`; null without such a file. */
async function namesOf(
  tree: FileTree,
  base: string,
  numbers: readonly number[],
): Promise<Map<number, string> | null> {
  const path = below(base, namesFile);
  if (!tree.files.has(path)) return null;
  const names = await jsonObject(tree, path);
  const nameOf = (number: number): string => {
    const name = names.get(String(number));
    if (typeof name === 'string') return name;
    throw new CotuneError(
      'bad-input',
      `${path} has no name for class ${number}.`,
      'Put it right, or remove it: the classes are then called by their numbers.',
    );
  };
  return byNumber(new Map(numbers.map((number) => [number, nameOf(number)])));
}
