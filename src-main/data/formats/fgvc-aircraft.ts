import { z } from 'zod';
import { splits } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const baseOf = (tree: FileTree) => folderWith(tree, ['variants.txt', 'images_variant_train.txt']);
const plural = { variant: 'variants', family: 'families', manufacturer: 'manufacturers' };

export const fgvcAircraft: DatasetFormat = {
  name: 'fgvc-aircraft',
  title: 'FGVC-Aircraft',
  help: 'data/images_variant_train.txt and its like (family, manufacturer; val, test) beside data/images/',
  source:
    'Maji, Kannala, Rahtu, Blaschko, Vedaldi, «Fine-Grained Visual Classification of Aircraft», 2013; torchvision datasets/fgvc_aircraft.py',
  options: z.strictObject({
    level: z
      .enum(['variant', 'family', 'manufacturer'])
      .default('variant')
      .meta({ title: 'Classes', description: 'what the classes are' }),
  }),
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.95, why: 'variants.txt lies beside images_variant_train.txt.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const level = options.values.level as keyof typeof plural;
    const names = below(base, `${plural[level]}.txt`);
    if (tree.files.has(names)) {
      const classes: string[] = [];
      for (const { text } of await textLines(tree, names)) classes.push(text);
      options.classes(classes);
    }
    const listed = new ListedImages(tree, options);
    const lists = splits.map((split) => ({ split, list: below(base, `images_${level}_${split}.txt`) }));
    if (!lists.some(({ list }) => tree.files.has(list))) throw withoutLists(level);
    for (const { split, list } of lists.filter(({ list }) => tree.files.has(list))) {
      for (const { text, line } of await textLines(tree, list)) {
        // Names have blanks, ids have none.
        const blank = text.search(/\s/);
        const [id, className] = blank < 0 ? [text, ''] : [text.slice(0, blank), text.slice(blank).trim()];
        const where = { file: list, at: `line ${line}` };
        const image = listed.image(below(base, 'images'), id, { className, split, where });
        if (image) yield image;
      }
    }
    listed.finish(`images_${level}_*.txt`, below(base, 'images'));
  },
};

const withoutLists = (level: string): CotuneError =>
  new CotuneError(
    'bad-input',
    `There is no images_${level}_train.txt, images_${level}_val.txt or images_${level}_test.txt.`,
    'Choose another level, or unpack the whole of fgvc-aircraft-2013b.tar.gz.',
  );
