import { below, folderOfFolders, imagesBelow, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const classes = [
  'AnnualCrop',
  'Forest',
  'HerbaceousVegetation',
  'Highway',
  'Industrial',
  'Pasture',
  'PermanentCrop',
  'Residential',
  'River',
  'SeaLake',
];

/** Its folder, 2750/, is the only one in the archive, and so is no part of the tree. */
const baseOf = (tree: FileTree) => folderOfFolders(tree, classes, 6);

export const eurosat: DatasetFormat = {
  name: 'eurosat',
  title: 'EuroSAT',
  help: '2750/ with a folder for each of the ten kinds of land use',
  source:
    'Helber, Bischke, Dengel, Borth, «EuroSAT: A Novel Dataset and Deep Learning Benchmark for Land Use and Land Cover Classification», 2019; torchvision datasets/eurosat.py',
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.9, why: 'The folders are those of EuroSAT: AnnualCrop, Forest and so on.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    options.tell(
      'EuroSAT has no official splits. Its pictures have 64 × 64 pixels and are enlarged for any usual network.',
    );
    for (const name of indexOf(tree)
      .folders.get(base)!
      .folders.filter((one) => classes.includes(one)))
      for (const path of imagesBelow(tree, below(base, name))) yield { path, className: name, split: null };
  },
};
