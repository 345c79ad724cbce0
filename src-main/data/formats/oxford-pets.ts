import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const lists: readonly [Split, string][] = [
  ['train', 'annotations/trainval.txt'],
  ['test', 'annotations/test.txt'],
];
const species: Record<string, string> = { 1: 'cat', 2: 'dog' };

const baseOf = (tree: FileTree) => folderWith(tree, ['annotations/trainval.txt', 'annotations/test.txt']);

export const oxfordPets: DatasetFormat = {
  name: 'oxford-pets',
  title: 'Oxford-IIIT Pets',
  help: 'annotations/trainval.txt and annotations/test.txt beside images/',
  source:
    'Parkhi, Vedaldi, Zisserman, Jawahar, «Cats and Dogs», CVPR 2012; torchvision datasets/oxford_iiit_pet.py',
  archives: 'in-place',
  options: z.strictObject({
    level: z
      .enum(['breed', 'species'])
      .default('breed')
      .meta({ title: 'Classes', description: 'breeds, or cats and dogs' }),
  }),
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.95, why: 'annotations/ holds trainval.txt and test.txt.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const listed = new ListedImages(tree, options);
    for (const [split, name] of lists) {
      const list = below(base, name);
      for (const { text, line } of await textLines(tree, list)) {
        if (text.startsWith('#')) continue;
        // Image, class from 1 to 37, species (1 cat, 2 dog), breed.
        const [id, number, kind] = text.split(/\s+/);
        const where = { file: list, at: `line ${line}` };
        if (!(Number(number) >= 1) || !(kind in species)) {
          listed.badRow(where, `it is not an image, a class, a species: ${text.slice(0, 80)}`);
          continue;
        }
        const className = options.values.level === 'species' ? species[kind] : id.replace(/_[^_]*$/, '');
        const image = listed.image(below(base, 'images'), id, { className, split, where });
        if (image) yield image;
      }
    }
    listed.finish('annotations/', below(base, 'images'));
  },
};
