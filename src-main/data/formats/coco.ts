import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { cropOf } from '../annotations/boxes.ts';
import { byNumber } from '../annotations/class-names.ts';
import { plainName } from '../annotations/image-names.ts';
import { jsonMembers } from '../annotations/json-members.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { baseName, below, folderOf, indexOf } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FoundImage } from './format.ts';
import { some } from './layout.ts';
import { splitNameOf } from './split-names.ts';

/** What is kept of an annotation file. */
interface Annotations {
  path: string;
  split: Split | null;
  images: Map<number, { file: string; width: number; height: number }>;
  categories: Map<number, string>;
  objects: { image: number; category: number; box: number[] }[];
  crowds: number;
}

const members = ['images', 'annotations', 'categories'];
const maxFiles = 20;

/** JSON files that begin as annotations do; those of keypoints and captions are other things. */
const pathsOf = (tree: FileTree): string[] =>
  (indexOf(tree).byExtension.get('.json') ?? [])
    .filter(
      (path) =>
        /instances|coco|annotations?|train|val|test/i.test(path) && !/caption|keypoint|panoptic/i.test(path),
    )
    .slice(0, maxFiles);

export const coco: DatasetFormat = {
  name: 'coco',
  title: 'COCO annotations',
  help: 'annotations/instances_train2017.json and its like, with images, annotations and categories, beside folders of images',
  source:
    'Lin et al., «Microsoft COCO: Common Objects in Context», ECCV 2014; cocodataset.org/#format-data; fastai vision/data.py get_annotations',
  archives: 'in-place',
  options: z.strictObject({
    images: z.enum(['objects', 'whole', 'coco-70']).default('objects').meta({
      title: 'Images',
      description:
        'objects: each box cut out, as an image of its class; whole: images with objects of exactly one class; coco-70: as many as Co-Tuning’s COCO-70 has, 800 to train and 100 each to validate and test, of the classes with 1,000 objects of 50 px or more, a bound of this program’s (which objects that one has is in its lists)',
    }),
    smallest: z.coerce.number().int().min(1).max(10_000).default(32).meta({
      title: 'Smallest side',
      description: 'boxes with a shorter side are left out',
      unit: 'px',
    }),
  }),
  async detect(tree) {
    for (const path of pathsOf(tree))
      if (await isCoco(tree, path))
        return {
          confidence: 0.9,
          why: `${path} holds images, annotations and categories, as COCO’s files do.`,
        };
    return null;
  },
  async *read(tree, options) {
    const files: Annotations[] = [];
    for (const path of pathsOf(tree))
      if (await isCoco(tree, path)) files.push(await annotationsIn(tree, path));
    if (files.length === 0)
      throw new CotuneError(
        'bad-input',
        'No JSON file here holds images, annotations and categories.',
        'COCO’s annotations are files such as annotations/instances_train2017.json.',
      );
    const listed = new ListedImages(tree, options);
    const { images } = options.values;
    const smallest = images === 'coco-70' ? coco70.smallest : Number(options.values.smallest);
    const left = { several: 0, small: 0, crowds: 0 };
    const found = function* () {
      for (const file of files) {
        left.crowds += file.crowds;
        yield* images === 'whole' ? wholeImages(file, listed, left) : objects(file, listed, smallest, left);
      }
    };
    yield* images === 'coco-70' ? drawCoco70(found(), options.tell) : found();
    if (left.several > 0)
      options.tell(`${left.several} images with objects of several classes, or of none, were left out.`);
    if (left.small > 0)
      options.tell(`${left.small} boxes with a side under ${smallest} pixels were left out.`);
    if (left.crowds > 0)
      options.tell(`${left.crowds} crowds, boxes around many objects at once, were left out.`);
    listed.finish(some(files.map(({ path }) => path)));
  },
};

/** Counts as in the README of thuml/CoTuning; the smallest side, in pixels, is not said there. */
const coco70 = { smallest: 50, train: 800, val: 100, test: 100 };

/** Of each class with enough objects as many as there are in all splits together, drawn by their names, whatever split they came in. */
function* drawCoco70(objects: Iterable<FoundImage>, tell: (note: string) => void): Generator<FoundImage> {
  const { smallest: _, ...splits } = coco70;
  const each = Object.values(splits).reduce((sum, count) => sum + count, 0);
  const byClass = Map.groupBy(objects, ({ className }) => className);
  const drawn = [...byClass.values()].filter(({ length }) => length >= each);
  tell(`${drawn.length} of ${byClass.size} classes have ${each} objects or more; the others were left out.`);
  const key = ({ path }: FoundImage) => createHash('sha256').update(path).digest('hex');
  for (const members of drawn) {
    const keyed = members
      .map((image) => ({ image, key: key(image) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    let from = 0;
    for (const [split, count] of Object.entries(splits) as [Split, number][]) {
      for (const { image } of keyed.slice(from, from + count)) yield { ...image, split };
      from += count;
    }
  }
}

/** Whether it has the members that annotations have; none of them is parsed. */
async function isCoco(tree: FileTree, path: string): Promise<boolean> {
  const found = new Set<string>();
  const note = (name: string) => {
    found.add(name);
    return false;
  };
  try {
    for await (const _ of jsonMembers(tree, path, note)) break;
  } catch {
    return false;
  }
  return members.every((name) => found.has(name));
}

async function annotationsIn(tree: FileTree, path: string): Promise<Annotations> {
  const split =
    splitNameOf(baseName(path).replace(/\.json$/, ''))?.split ?? splitNameOf(baseName(folderOf(path)))?.split;
  const file: Annotations = {
    path,
    split: split ?? null,
    images: new Map(),
    categories: new Map(),
    objects: [],
    crowds: 0,
  };
  for await (const { key, value } of jsonMembers(tree, path, (name) => members.includes(name))) {
    const one = Object(value) as Record<string, unknown>;
    if (key === 'images')
      file.images.set(Number(one.id), {
        file: String(one.file_name ?? ''),
        width: Number(one.width) || Number.MAX_SAFE_INTEGER,
        height: Number(one.height) || Number.MAX_SAFE_INTEGER,
      });
    else if (key === 'categories') file.categories.set(Number(one.id), String(one.name ?? one.id));
    else if (one.iscrowd === 1) file.crowds++;
    else {
      const box = Array.isArray(one.bbox) ? one.bbox.slice(0, 4).map(Number) : [];
      file.objects.push({ image: Number(one.image_id), category: Number(one.category_id), box });
    }
  }
  file.categories = byNumber(file.categories);
  return file;
}

/** The folder that the file names of an annotation file are relative to. */
function folderFor(listed: ListedImages, { path, images }: Annotations): string {
  const word = baseName(path)
    .replace(/\.json$/, '')
    .replace(/^instances_/, '');
  const likely = [folderOf(path), folderOf(folderOf(path)), ''].flatMap((place) => [
    place,
    below(place, word),
    below(place, `images/${word}`),
    below(place, 'images'),
  ]);
  const names = Array.from(images.values(), ({ file }) => plainName(file));
  return listed.names.folderOf(names, likely)?.folder ?? folderOf(path);
}

function* objects(
  file: Annotations,
  listed: ListedImages,
  smallest: number,
  left: { small: number },
): Generator<FoundImage> {
  const folder = folderFor(listed, file);
  for (const [index, { image, category, box }] of file.objects.entries()) {
    const where = { file: file.path, at: `annotation ${index + 1}` };
    const of = file.images.get(image);
    const className = file.categories.get(category);
    if (!of || className === undefined) {
      listed.badRow(where, `its ${of ? `category ${category}` : `image ${image}`} is not in the file`);
      continue;
    }
    const crop = cropOf(box, of);
    if (!crop) {
      listed.badRow(where, 'its box has no area inside the image');
      continue;
    }
    if (Math.min(crop[2], crop[3]) < smallest) {
      left.small++;
      continue;
    }
    const found = listed.image(folder, of.file, { className, split: file.split, crop, where });
    if (found) yield found;
  }
}

function* wholeImages(
  file: Annotations,
  listed: ListedImages,
  left: { several: number },
): Generator<FoundImage> {
  const folder = folderFor(listed, file);
  const categories = new Map<number, Set<number>>();
  for (const { image, category } of file.objects) {
    const known = categories.get(image) ?? new Set();
    categories.set(image, known.add(category));
  }
  for (const [id, { file: name }] of file.images) {
    const own = categories.get(id) ?? new Set();
    const className = own.size === 1 ? file.categories.get([...own][0]) : undefined;
    if (className === undefined) {
      left.several++;
      continue;
    }
    const where = { file: file.path, at: `image ${id}` };
    const found = listed.image(folder, name, { className, split: file.split, where });
    if (found) yield found;
  }
}
