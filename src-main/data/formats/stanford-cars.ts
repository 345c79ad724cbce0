import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { cropOf } from '../annotations/boxes.ts';
import { byNumber } from '../annotations/class-names.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { matVariable, numbersIn, textsIn } from '../annotations/mat-file.ts';
import { below, folderWith, imagesBelow } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FormatOptions, FoundImage } from './format.ts';

const parts: readonly { split: Split; folder: string; annotations: readonly string[] }[] = [
  {
    split: 'train',
    folder: 'cars_train',
    annotations: ['devkit/cars_train_annos.mat', 'cars_train_annos.mat'],
  },
  {
    split: 'test',
    folder: 'cars_test',
    annotations: ['cars_test_annos_withlabels.mat', 'devkit/cars_test_annos_withlabels.mat'],
  },
];

const baseOf = (tree: FileTree) =>
  folderWith(tree, ['devkit/cars_train_annos.mat']) ?? folderWith(tree, ['cars_train_annos.mat']);

/** The other form that its authors publish: all images in car_ims/, and one file that says of each what it is and whether it is to test. */
const together = 'cars_annos.mat';

export const stanfordCars: DatasetFormat = {
  name: 'stanford-cars',
  title: 'Stanford Cars',
  help: 'cars_train/, cars_test/, devkit/ with cars_meta.mat and cars_train_annos.mat, and cars_test_annos_withlabels.mat beside them; or car_ims/ beside cars_annos.mat',
  source:
    'Krause, Stark, Deng, Fei-Fei, «3D Object Representations for Fine-Grained Categorization», 2013; torchvision datasets/stanford_cars.py',
  archives: 'in-place',
  options: z.strictObject({
    images: z
      .enum(['whole', 'boxes'])
      .default('whole')
      .meta({ title: 'Images', description: 'whole, or cut to the bounding boxes of the annotations' }),
  }),
  async detect(tree) {
    const file = baseOf(tree) === null ? together : 'cars_train_annos.mat';
    if (file === together && folderWith(tree, [together]) === null) return null;
    return { confidence: 0.95, why: `There is a ${file}, the annotations of Stanford Cars.` };
  },
  async *read(tree, options) {
    const apart = baseOf(tree);
    const base = apart ?? folderWith(tree, [together]) ?? '';
    const whole = apart === null && tree.files.has(below(base, together)) ? below(base, together) : null;
    const meta = ['devkit/cars_meta.mat', 'cars_meta.mat'].find((path) => tree.files.has(below(base, path)));
    const named = whole ?? (meta && below(base, meta));
    const names = named ? textsIn(await matVariable(tree, named, 'class_names')) : [];
    const classes = byNumber(new Map(names.map((name, index) => [index + 1, name])));
    if (names.length > 0) options.classes([...classes.values()]);
    else options.tell('There is no cars_meta.mat: the classes are called by their numbers.');
    const listed = new ListedImages(tree, options);
    if (whole)
      yield* readPart(tree, options, listed, { split: null, folder: '', base, path: whole, classes });
    else
      for (const part of parts) {
        const path = part.annotations.map((one) => below(base, one)).find((one) => tree.files.has(one));
        if (path) yield* readPart(tree, options, listed, { ...part, base, path, classes });
        else noteUnlabelled(tree, options, below(base, part.folder));
      }
    listed.finish('the annotations');
  },
};

async function* readPart(
  tree: FileTree,
  options: FormatOptions,
  listed: ListedImages,
  part: {
    split: Split | null;
    folder: string;
    base: string;
    path: string;
    classes: ReadonlyMap<number, string>;
  },
): AsyncGenerator<FoundImage> {
  const { folder, base, path, classes } = part;
  const annotations = await matVariable(tree, path, 'annotations');
  const rows = annotations.kind === 'structs' ? annotations.elements : [];
  for (const [index, row] of rows.entries()) {
    const where = { file: path, at: `annotation ${index + 1}` };
    const number = numbersIn(row.get('class'))[0];
    if (!Number.isInteger(number)) {
      listed.badRow(where, 'it has no class');
      continue;
    }
    const crop = options.values.images === 'boxes' ? boxOf(row) : undefined;
    if (crop === null) {
      listed.badRow(where, 'it has no bounding box');
      continue;
    }
    const [name = ''] = textsIn(row.get('fname') ?? row.get('relative_im_path'));
    const split = part.split ?? (numbersIn(row.get('test'))[0] === 1 ? 'test' : 'train');
    const className = classes.get(number) ?? String(number).padStart(3, '0');
    const image = listed.image(below(base, folder), name, { className, split, crop, where });
    if (image) yield image;
  }
}

/** Corners are counted from 1, both of them inside the box. */
function boxOf(row: ReadonlyMap<string, Parameters<typeof numbersIn>[0]>) {
  const [x1, y1, x2, y2] = ['x1', 'y1', 'x2', 'y2'].map((name) => numbersIn(row.get(`bbox_${name}`))[0]);
  return cropOf([x1 - 1, y1 - 1, x2 - x1 + 1, y2 - y1 + 1]);
}

function noteUnlabelled(tree: FileTree, { unlabelled, tell }: FormatOptions, folder: string): void {
  const images = [...imagesBelow(tree, folder)].length;
  if (images === 0) return;
  unlabelled({ path: folder, images });
  tell(
    'The labels of the test images come as a file of their own, cars_test_annos_withlabels.mat, which is not there; put it beside cars_test/.',
  );
}
