import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { cropOf } from '../annotations/boxes.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderOf, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const baseOf = (tree: FileTree) => folderWith(tree, ['train_test_split.txt', 'images.txt']);

export const cub2002011: DatasetFormat = {
  name: 'cub-200-2011',
  title: 'CUB-200-2011',
  help: 'images.txt, image_class_labels.txt, classes.txt and train_test_split.txt beside images/ with a folder per class',
  source:
    'Wah, Branson, Welinder, Perona, Belongie, «The Caltech-UCSD Birds-200-2011 Dataset», 2011; its README; tfds caltech_birds2011',
  options: z.strictObject({
    images: z
      .enum(['whole', 'boxes'])
      .default('whole')
      .meta({ title: 'Images', description: 'whole, or cut to the bounding boxes of bounding_boxes.txt' }),
  }),
  async detect(tree) {
    if (baseOf(tree) === null) return null;
    return { confidence: 0.95, why: 'images.txt and train_test_split.txt lie side by side.' };
  },
  async *read(tree, options) {
    const base = baseOf(tree) ?? '';
    const at = (name: string) => below(base, name);
    const splits = await byId(tree, at('train_test_split.txt'));
    const labels = tree.files.has(at('image_class_labels.txt'))
      ? await byId(tree, at('image_class_labels.txt'))
      : null;
    const names = tree.files.has(at('classes.txt')) ? await byId(tree, at('classes.txt')) : null;
    const boxes = options.values.images === 'boxes' ? await byId(tree, at('bounding_boxes.txt')) : null;
    const list = at('images.txt');
    const listed = new ListedImages(tree, options);
    for (const { text, line } of await textLines(tree, list)) {
      const where = { file: list, at: `line ${line}` };
      const [id, path] = atBlank(text);
      const label = labels?.get(id);
      // The folder is the class too, in every copy that is around.
      const className = names?.get(label ?? '') ?? folderOf(path).split('/').at(-1)!;
      const split = splitOf(splits.get(id));
      if (split === undefined) {
        listed.badRow(where, `image ${id} has no 0 or 1 in train_test_split.txt`);
        continue;
      }
      const crop = boxes ? cropOf((boxes.get(id) ?? '').split(/\s+/).map(Number)) : undefined;
      if (crop === null) {
        listed.badRow(where, `image ${id} has no box in bounding_boxes.txt`);
        continue;
      }
      const image = listed.image(at('images'), path, { className, split, crop, where });
      if (image) yield image;
    }
    listed.finish(list, at('images'));
  },
};

const splitOf = (mark: string | undefined): Split | undefined =>
  mark === '1' ? 'train' : mark === '0' ? 'test' : undefined;

/** `12 rest of the line` as [12, rest of the line]. */
function atBlank(line: string): [string, string] {
  const blank = line.search(/\s/);
  return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank).trim()];
}

async function byId(tree: FileTree, path: string): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const { text } of await textLines(tree, path)) values.set(...atBlank(text));
  return values;
}
