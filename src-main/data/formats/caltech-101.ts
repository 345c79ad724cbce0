import { z } from 'zod';
import { below, folderOfFolders, imagesBelow, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const background = 'BACKGROUND_Google';

/** The dataset's folder is often left out of archives: it is known by classes of which no other has two. */
const baseOf = (tree: FileTree) =>
  folderOfFolders(tree, [background, 'Faces_easy', 'gerenuk', 'okapi', 'wild_cat', 'windsor_chair'], 2);

export const caltech101: DatasetFormat = {
  name: 'caltech-101',
  title: 'Caltech-101',
  help: '101_ObjectCategories/ with a folder per class, BACKGROUND_Google among them',
  source:
    'Fei-Fei, Fergus, Perona, «Learning Generative Visual Models from Few Training Examples», 2004; torchvision datasets/caltech.py',
  archives: 'in-place',
  options: z.strictObject({
    background: z.enum(['drop', 'keep']).default('drop').meta({
      title: 'Background',
      description:
        'whether BACKGROUND_Google, pictures of anything, is a class; torchvision drops it, TLlib keeps it',
    }),
  }),
  async detect(tree) {
    const base = baseOf(tree);
    if (base === null) return null;
    const [first, second] = indexOf(tree)
      .folders.get(base)!
      .folders.filter((name) => name !== background);
    return { confidence: 0.9, why: `The folders are those of Caltech-101: ${first}, ${second} and so on.` };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const keeps = options.values.background === 'keep';
    for (const name of indexOf(tree).folders.get(base)!.folders) {
      const folder = below(base, name);
      if (name === background && !keeps) {
        const images = [...imagesBelow(tree, folder)].length;
        options.tell(
          `${background}, ${images} pictures of anything, is no class and was left out; the option background keeps it.`,
        );
        continue;
      }
      for (const path of imagesBelow(tree, folder)) yield { path, className: name, split: null };
    }
  },
};
