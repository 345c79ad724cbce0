import type { Split } from '../../../src-shared/domain.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { matVariable, textsIn } from '../annotations/mat-file.ts';
import { below, folderOf, folderWith, imagesBelow, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const lists: readonly [Split, string][] = [
  ['train', 'train_list.mat'],
  ['test', 'test_list.mat'],
];
/** `n02085620-Chihuahua` */
const breedFolder = /^n\d{8}-/;

/** Where `Images/` lies, and the lists, which lists.tar unpacks beside it. */
function placesOf(tree: FileTree): { base: string; listFolder: string | null } | null {
  const folder = [...indexOf(tree).folders.values()].find(
    ({ path, folders }) => /(^|\/)Images$/.test(path) && folders.some((name) => breedFolder.test(name)),
  );
  if (!folder) return null;
  return { base: folderOf(folder.path), listFolder: folderWith(tree, ['train_list.mat', 'test_list.mat']) };
}

export const stanfordDogs: DatasetFormat = {
  name: 'stanford-dogs',
  title: 'Stanford Dogs',
  help: 'Images/ with folders such as n02085620-Chihuahua, and train_list.mat and test_list.mat beside it or in lists/',
  source:
    'Khosla, Jayadevaprakash, Yao, Fei-Fei, «Novel Dataset for Fine-Grained Image Categorization», 2011; tfds stanford_dogs',
  archives: 'in-place',
  async detect(tree) {
    const places = placesOf(tree);
    if (!places) return null;
    return places.listFolder === null
      ? {
          confidence: 0.6,
          why: 'Images/ holds folders named after ImageNet’s classes, such as n02085620-Chihuahua.',
        }
      : {
          confidence: 0.95,
          why: 'train_list.mat lies with Images/, whose folders are named after ImageNet’s classes.',
        };
  },
  async *read(tree, options) {
    options.tell(
      'Stanford Dogs is part of ImageNet: a network that was pre-trained on ImageNet has seen its images, those of the test split too, so that its scores here say too much.',
    );
    const { base = '', listFolder = null } = placesOf(tree) ?? {};
    const images = below(base, 'Images');
    const listed = new ListedImages(tree, options);
    const classOf = (path: string) => folderOf(path).split('/').at(-1)!.replace(breedFolder, '');
    if (listFolder === null) {
      options.tell('There are no train_list.mat and test_list.mat: the official splits are in lists.tar.');
      for (const path of imagesBelow(tree, images)) {
        const image = listed.at(path, {
          className: classOf(path),
          split: null,
          where: { file: path, at: '' },
        });
        if (image) yield image;
      }
      return;
    }
    for (const [split, name] of lists) {
      const file = below(listFolder, name);
      for (const [index, path] of textsIn(await matVariable(tree, file, 'file_list')).entries()) {
        const where = { file, at: `entry ${index + 1}` };
        const image = listed.image(images, path, { className: classOf(path), split, where });
        if (image) yield image;
      }
    }
    listed.finish('train_list.mat and test_list.mat', images);
  },
};
