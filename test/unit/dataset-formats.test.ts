import { describe, expect, test } from 'vitest';
import { linesOf } from '../../src-main/data/annotations/text-lines.ts';
import type { DatasetFormat, FormatOptions, FoundImage } from '../../src-main/data/formats/format.ts';
import { datasetFormats } from '../../src-main/data/formats/index.ts';
import type { FileTree } from '../../src-main/data/trees/tree.ts';
import type { SampleIssue } from '../../src-shared/domain.ts';
import { type Known, miniatures } from '../dataset-miniatures.ts';
import { memoryTree } from '../memory-tree.ts';

const named = (name: string): DatasetFormat => datasetFormats.find((format) => format.name === name)!;

/** What is not asked of the content of an image here: any bytes stand for it. */
const draw = (path: string) => Buffer.from(`the image ${path}`);

/** The format that is surest of a tree. */
async function detected(tree: FileTree): Promise<{ name: string; why: string }> {
  const all = await Promise.all(
    datasetFormats.map(async (format) => ({ name: format.name, ...(await format.detect(tree)) })),
  );
  const [best] = all.sort((a, b) => (b.confidence ?? 0) - (a.confidence ?? 0));
  return { name: best.name, why: best.why ?? '' };
}

/** Everything that a format says of a tree. */
async function readAs(
  name: string,
  tree: FileTree,
  values: Record<string, string> = {},
  columns: FormatOptions['columns'] = {},
) {
  const format = named(name);
  const notes: string[] = [];
  const issues: SampleIssue[] = [];
  const images: FoundImage[] = [];
  let classes: readonly string[] | undefined;
  const options: FormatOptions = {
    tell: (note) => void notes.push(note),
    issue: (issue) => void issues.push(issue),
    unlabelled: () => {},
    classes: (names) => {
      classes = names;
    },
    layout: { splits: 'names' },
    columns,
    values: format.options?.parse(values) ?? {},
  };
  for await (const image of format.read(tree, options)) images.push(image);
  const known = Object.fromEntries(
    images.map(({ path, className, split }): [string, Known] => [path, [className, split]]),
  );
  return { notes, issues, images, known, classes };
}

describe.each(
  miniatures(draw).map((miniature) => ({ ...miniature, name: `${miniature.format}: ${miniature.what}` })),
)('$name', ({ format, files, images, classes, notes = [], issues = [] }) => {
  const tree = memoryTree(files);

  test('is known by what lies there, and a sentence says why', async () => {
    const { name, why } = await detected(tree);
    expect(name).toBe(format);
    expect(why).toMatch(/^[A-ZA-z_].*\.$/);
  });

  test('its images, classes and splits are those of its authors', async () => {
    const found = await readAs(format, tree);
    expect(found.known).toEqual(images);
    if (classes) expect(found.classes).toEqual(classes);
    expect(found.issues.map(({ kind, path }) => [kind, path]).sort()).toEqual([...issues].sort());
    for (const note of notes) expect(found.notes.join('\n')).toMatch(note);
  });
});

/** A miniature by a word of what it is. */
const miniature = (what: string) =>
  memoryTree(miniatures(draw).find((one) => one.what.includes(what))!.files);
const crops = (images: readonly FoundImage[]) => images.map(({ locator }) => locator?.crop);

describe('options', () => {
  test('CUB and Cars: images cut to their boxes', async () => {
    const birds = await readAs('cub-200-2011', miniature('CUB_200_2011'), { images: 'boxes' });
    expect(crops(birds.images)[0]).toEqual([1, 2, 4, 4]);
    const cars = await readAs('stanford-cars', miniature('devkit'), { images: 'boxes' });
    // Corners 1, 2 and 6, 5, counted from 1, both inside.
    expect(crops(cars.images)[0]).toEqual([0, 1, 6, 4]);
  });

  test('Aircraft: families, for which a copy may lack the lists', async () => {
    await expect(readAs('fgvc-aircraft', miniature('variants'), { level: 'family' })).rejects.toThrow(
      'There is no images_family_train.txt',
    );
  });

  test('Pets: species', async () => {
    const { known } = await readAs('oxford-pets', miniature('strays'), { level: 'species' });
    expect(known['images/great_pyrenees_12.jpg']).toEqual(['dog', 'train']);
  });

  test('DTD: another partition', async () => {
    const { known } = await readAs('dtd', miniature('partition 1'), { partition: '2' });
    expect(known['dtd/images/banded/banded_0001.jpg']).toEqual(['banded', 'val']);
    await expect(readAs('dtd', miniature('partition 1'), { partition: '3' })).rejects.toThrow(
      'There is no dtd/labels',
    );
  });

  test('Caltech-101: the background kept as a class', async () => {
    const { known } = await readAs('caltech-101', miniature('background'), { background: 'keep' });
    expect(known['101_ObjectCategories/BACKGROUND_Google/image_0001.jpg']).toEqual([
      'BACKGROUND_Google',
      null,
    ]);
  });

  test('CIFAR-100: superclasses; the pictures are planes behind the labels', async () => {
    const { known, images } = await readAs('cifar', miniature('CIFAR-100'), { labels: 'coarse' });
    expect(known['cifar-100-binary/train.bin/00000']).toEqual(['fish', 'train']);
    expect(images[1].locator).toEqual({
      file: 'cifar-100-binary/train.bin',
      part: { kind: 'planes', offset: 3074 + 2, width: 32, height: 32 },
    });
  });

  test('COCO: whole images with objects of one class alone', async () => {
    const { known, notes } = await readAs('coco', miniature('objects'), { images: 'whole' });
    expect(known).toEqual({
      'train2017/000025.jpg': ['dog', 'train'],
      'val2017/000001.jpg': ['dog', 'val'],
    });
    expect(notes.join()).toContain('1 images with objects of several classes');
  });

  test('COCO-70: of classes with 1,000 objects of 50 px a thousand each, in its three splits', async () => {
    const objects = (category: number, count: number, side: number) =>
      Array.from({ length: count }, (_, i) => ({
        image_id: 1 + (i % 2),
        category_id: category,
        bbox: [i, category, side, 60],
      }));
    const tree = memoryTree({
      'annotations/instances_train2017.json': JSON.stringify({
        images: [1, 2].map((id) => ({ id, file_name: `${id}.jpg`, width: 4000, height: 4000 })),
        annotations: [...objects(1, 1010, 50), ...objects(2, 999, 50), ...objects(3, 1010, 49)],
        categories: ['cat', 'dog', 'fox'].map((name, i) => ({ id: i + 1, name })),
      }),
      'train2017/1.jpg': '',
      'train2017/2.jpg': '',
    });
    const { images, notes } = await readAs('coco', tree, { images: 'coco-70' });
    const counts = Map.groupBy(images, ({ className, split }) => `${className} ${split}`);
    expect([...counts].map(([name, list]) => [name, list.length])).toEqual([
      ['cat train', 800],
      ['cat val', 100],
      ['cat test', 100],
    ]);
    expect(new Set(images.map(({ path }) => path)).size).toBe(1000);
    expect(notes.join()).toContain('1 of 2 classes have 1000 objects');
  });

  test('TLlib: the rate that is asked for, and what there is where it is not there', async () => {
    const { known } = await readAs('lists', miniature('TLlib'), { rate: '50' });
    expect(Object.keys(known)).toContain('train/002.Laysan/d.jpg');
    expect(Object.keys(known)).not.toContain('train/002.Laysan/e.jpg');
    await expect(readAs('lists', miniature('TLlib'), { rate: '20' })).rejects.toMatchObject({
      hint: 'Choose one of 100, 50, 15.',
    });
  });

  test('tables: columns that a person names go before the guesses', async () => {
    const tree = memoryTree({
      'a.csv': 'path,colour,shape\n1.png,red,round\n2.png,red,square\n',
      '1.png': '1',
      '2.png': '2',
    });
    await expect(readAs('tables', tree)).rejects.toThrow(
      'none of its columns was taken for labels: path, colour, shape',
    );
    const { known } = await readAs('tables', tree, {}, { label: 'shape' });
    expect(known).toEqual({ '1.png': ['round', null], '2.png': ['square', null] });
    await expect(readAs('tables', tree, {}, { label: 'size' })).rejects.toThrow('a.csv has no column size');
  });
});

describe('what is not as its authors publish it', () => {
  test('CIFAR’s pickles are not loaded: the binary version is named', async () => {
    const tree = memoryTree({
      'cifar-10-batches-py/batches.meta': 'x',
      'cifar-10-batches-py/data_batch_1': 'x',
    });
    expect((await detected(tree)).name).toBe('cifar');
    await expect(readAs('cifar', tree)).rejects.toMatchObject({
      message: expect.stringContaining('pickles'),
      hint: expect.stringContaining('cifar-10-binary.tar.gz'),
    });
  });

  test('Cars without the labels of the test images says where they come from', async () => {
    const { 'cars_test_annos_withlabels.mat': _, ...files } = miniatures(draw)[1].files;
    const { notes, images } = await readAs('stanford-cars', memoryTree(files));
    expect(images).toHaveLength(2);
    expect(notes.join()).toContain('cars_test_annos_withlabels.mat, which is not there');
  });

  test('a list whose images are all elsewhere says so', async () => {
    const tree = memoryTree({ 'images.txt': '1 a/b.jpg\n', 'train_test_split.txt': '1 1\n', 'x.jpg': '' });
    await expect(readAs('cub-200-2011', tree)).rejects.toThrow(
      'None of the images that images.txt names can be used; the first: a/b.jpg',
    );
  });

  test('a damaged MATLAB file is named with what is wrong', async () => {
    const tree = memoryTree({
      'setid.mat': 'x',
      'imagelabels.mat': 'MATLAB 7.3 MAT-file',
      'jpg/image_00001.jpg': '',
    });
    await expect(readAs('flowers-102', tree)).rejects.toThrow(
      'imagelabels.mat cannot be read as a MATLAB file',
    );
  });

  test('absolute paths count where they lead into the dataset’s folder, and only there', async () => {
    const tree = memoryTree(
      {
        'train.txt': '/set/a/1.jpg cat\nC:\\set\\a\\2.jpg cat\n/other/a/1.jpg cat\n',
        'a/1.jpg': '',
        'a/2.jpg': '',
      },
      '/set',
    );
    const { known, issues } = await readAs('lists', tree);
    expect(known).toEqual({ 'a/1.jpg': ['cat', 'train'] });
    expect(issues.map(({ detail }) => detail)).toEqual([
      expect.stringContaining('line 2: C:/set/a/2.jpg: it is an absolute path'),
      expect.stringContaining('line 3: /other/a/1.jpg: it is an absolute path'),
    ]);
  });

  test('folders and a readme remain folders', async () => {
    const tree = memoryTree({
      'README_source.txt': 'These images are from a/1.jpg and elsewhere.\nSee the paper.\n',
      'notes.csv': 'author,year\nme,2020\n',
      'a/1.jpg': '',
      'b/2.jpg': '',
    });
    expect((await detected(tree)).name).toBe('folders');
  });
});

describe('hostile annotations are refused, quickly and in little memory', () => {
  test('more rows than any dataset has', () => {
    const rows = linesOf('a\n'.repeat(2_000_001), 'train.txt');
    expect(() => {
      for (const _ of rows);
    }).toThrow('train.txt is no list of images: around line 2000001');
  });

  test('a line, a cell and a record without an end', async () => {
    const long = 'x'.repeat(200_000);
    const list = memoryTree({
      'labels/train1.txt': `a/1.jpg\n${long}`,
      'labels/test1.txt': '',
      'images/a/1.jpg': '',
    });
    await expect(readAs('dtd', list)).rejects.toThrow('labels/train1.txt is no list of images');
    const table = memoryTree({ 'train.csv': `file,label\na.jpg,"${long}${long}`, 'a.jpg': '' });
    await expect(readAs('tables', table)).rejects.toThrow(/train.csv is no table that can be read/);
  });

  test.each([
    ['nested deeper than', `{"apple_pie": ${'['.repeat(100_000)}`],
    ['a comma should stand', '{"apple_pie": ["a/1" "a/2"]}'],
    ['more than 16 MiB', `{"apple_pie": ["${'x'.repeat(17 * 2 ** 20)}"]}`],
    ['is no JSON', '{"apple_pie": [tru]}'],
    ['the end of a text', '{"apple_pie": ["a'],
  ])('JSON: %s', async (reason, train) => {
    const tree = memoryTree({ 'meta/train.json': train, 'meta/test.json': '{}', 'images/a/1.jpg': '' });
    await expect(readAs('food-101', tree)).rejects.toThrow(reason);
  });

  test('names that objects have of their own are names', async () => {
    const tree = memoryTree({
      'train.jsonl': '{"file": "a.jpg", "label": "constructor"}\n{"file": "b.jpg", "label": "__proto__"}\n',
      'a.jpg': '',
      'b.jpg': '',
    });
    const { known } = await readAs('tables', tree);
    expect(known).toEqual({ 'a.jpg': ['constructor', 'train'], 'b.jpg': ['__proto__', 'train'] });
  });
});
