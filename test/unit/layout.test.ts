import { expect, test } from 'vitest';
import { splitNameOf } from '../../src-main/data/formats/split-names.ts';
import { listImages } from '../../src-main/data/list-images.ts';
import type { ImportLayout } from '../../src-shared/contract.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';

/** Finds images among empty files of these names, and counts them by class and split: `cat train`, `cat -`. */
async function found(paths: string, layout: ImportLayout = { splits: 'names' }) {
  const folder = temporaryFolder();
  writeFiles(
    folder,
    Object.fromEntries(
      paths
        .split(/\s+/)
        .filter(Boolean)
        .map((path) => [path, '']),
    ),
  );
  const counts: Record<string, number> = {};
  const { unlabelled, notes, issues } = await listImages(
    { folder, file: null },
    { layout },
    folder,
    (images) => {
      for (const { className, split } of images) {
        const key = `${className} ${split ?? '-'}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
    },
  );
  return { counts, unlabelled, notes, issues };
}
const countsOf = async (...args: Parameters<typeof found>) => (await found(...args)).counts;

test.each([
  ['train', 'train', ''],
  ['Training', 'train', ''],
  ['TRAIN', 'train', ''],
  ['ｔｒａｉｎ', 'train', ''],
  ['valid', 'val', ''],
  ['dev', 'val', ''],
  ['Validation Set', 'val', ''],
  ['testing', 'test', ''],
  ['eval', 'test', ''],
  ['evaluation', 'test', ''],
  ['seg_train', 'train', 'seg'],
  ['cars-test', 'test', 'cars'],
  ['my.data.train', 'train', 'my'],
  ['train2017', 'train', ''],
  ['test1', 'test', ''],
  ['TestImages', 'test', ''],
  ['trainset', 'train', ''],
])('%s is the split %s', (name, split, rest) => expect(splitNameOf(name)).toEqual({ split, rest }));

test.each(['trainer', 'contest', 'valley', 'cat', 'train-test', 'devil', 'интернет', ''])(
  '%s is no split',
  (name) => expect(splitNameOf(name)).toBeNull(),
);

test('every known name is a split, whatever its case, with words around it and one folder inside', async () => {
  expect(await countsOf('Train/a/1.jpg Train/b/1.jpg DEV/a/2.jpg Evaluation/b/3.jpg')).toEqual({
    'a train': 1,
    'b train': 1,
    'a val': 1,
    'b test': 1,
  });
  expect(
    await countsOf('seg_train/seg_train/a/1.jpg seg_train/seg_train/b/1.jpg seg_test/seg_test/a/1.jpg'),
  ).toEqual({
    'a train': 1,
    'b train': 1,
    'a test': 1,
  });
  expect(
    await countsOf('set/images/train_images/images/a/1.jpg set/images/test_images/images/a/1.jpg'),
  ).toEqual({
    'a train': 1,
    'a test': 1,
  });
  expect(await countsOf('train/a/1.jpg valid/a/1.jpg test/a/1.jpg README.roboflow.txt')).toEqual({
    'a train': 1,
    'a val': 1,
    'a test': 1,
  });
  expect(await countsOf('train1/a/1.jpg train2/a/2.jpg test/a/1.jpg')).toEqual({ 'a train': 2, 'a test': 1 });
});

test('splits inside the class folders are splits', async () => {
  const { counts, notes } = await found('cat/train/1.jpg cat/test/2.jpg dog/train/1.jpg dog/train/2.jpg');
  expect(counts).toEqual({ 'cat train': 1, 'cat test': 1, 'dog train': 2 });
  expect(notes.join()).toContain('inside the class folders');
});

test('classes that are called like splits are classes', async () => {
  expect(await countsOf('train_station/1.jpg test_tube/1.jpg')).toEqual({
    'train_station -': 1,
    'test_tube -': 1,
  });
  expect(await countsOf('freight_train/x/1.jpg passenger_train/y/1.jpg')).toEqual({
    'freight_train -': 1,
    'passenger_train -': 1,
  });
  expect(await countsOf('train/1.jpg test/1.jpg', { splits: 'none' })).toEqual({ 'train -': 1, 'test -': 1 });
  const vehicles = await found('train/1.jpg bus/1.jpg');
  expect(vehicles.counts).toEqual({ 'train -': 1, 'bus -': 1 });
  expect(vehicles.notes.join()).toContain('train is named like a split');
});

test.each([
  ['flat splits with a table', 'train/1.jpg test/1.jpg train.csv', 'train.csv may say it'],
  ['flat splits', 'train/cat.1.jpg train/dog.1.jpg test1/1.jpg', 'train/ (2)'],
  ['a flat split alone', 'train/1.jpg train/2.jpg', 'train/ (2)'],
  ['a flat training split beside a nested one', 'train/1.jpg test/a/1.jpg', 'No class folders'],
  ['images in a folder of their own', 'images/1.jpg labels.csv', 'labels.csv'],
  [
    'training images in a folder of their own',
    'train/images/1.jpg train/labels/1.txt test/images/1.jpg',
    'train/ (1)',
  ],
  ['boxes beside images', 'images/train/1.jpg images/val/1.jpg labels/train/1.txt', 'images/train/ (1)'],
])('%s: refused before anything is trained, with what to do', async (_, paths, message) => {
  await expect(found(paths)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining(message),
    hint: expect.stringContaining('--no-splits'),
  });
});

test.each([
  ['a flat folder', 'test/1.jpg', 'test'],
  ['a folder in it', 'test/test/1.jpg', 'test/test'],
  ['Keras’ folder', 'test/unknown/1.jpg', 'test/unknown'],
  ['a folder of images', 'test/images/1.jpg', 'test/images'],
  ['numbered', 'test1/1.jpg', 'test1'],
  ['predictions', 'pred/1.jpg', 'pred'],
  ['unlabelled', 'unlabeled/x/1.jpg', 'unlabeled'],
  ['unknown among known classes', 'test/a/0.jpg test/unknown/1.jpg', 'test/unknown'],
])('images without a label are said and are no class: %s', async (_, paths, path) => {
  const { counts, unlabelled, issues } = await found(`train/a/1.jpg train/b/1.jpg ${paths}`);
  expect(Object.keys(counts).filter((key) => !/^[ab] (train|test)$/.test(key))).toEqual([]);
  expect(unlabelled).toEqual([{ path, images: 1 }]);
  expect(issues).toEqual([]);
});

test('a class that only the test split has is a class, and so is "unknown" where it was trained', async () => {
  expect(await countsOf('train/a/1.jpg test/zebra/1.jpg')).toEqual({ 'a train': 1, 'zebra test': 1 });
  expect(await countsOf('train/a/1.jpg train/unknown/1.jpg test/unknown/1.jpg')).toEqual({
    'a train': 1,
    'unknown train': 1,
    'unknown test': 1,
  });
});

test('two levels of folders: said, and the other reading is a level away', async () => {
  const paths = 'x/animals/left/1.jpg x/animals/cat/1.jpg x/plants/left/1.jpg x/plants/rose/1.jpg';
  const { counts, notes } = await found(paths);
  expect(counts).toEqual({ 'animals -': 2, 'plants -': 2 });
  expect(notes.join()).toContain('--classes-at 3');
  // Names that two folders share are told apart by their paths.
  expect(await countsOf(paths, { splits: 'names', classesAt: 3 })).toEqual({
    'x/animals/left -': 1,
    'cat -': 1,
    'x/plants/left -': 1,
    'rose -': 1,
  });
  const split =
    'train/animals/cat/1.jpg train/animals/dog/1.jpg train/plants/rose/1.jpg test/animals/cat/2.jpg';
  expect((await found(split)).notes.join()).toContain('--classes-at 2');
  expect(await countsOf(split, { splits: 'names', classesAt: 2 })).toEqual({
    'cat train': 1,
    'dog train': 1,
    'rose train': 1,
    'cat test': 1,
  });
});

test('splits that are named: only those are read', async () => {
  const paths = 'one/a/1.jpg two/a/1.jpg two/b/1.jpg held/out/a/1.jpg other/a/1.jpg';
  const layout = { splits: { train: ['one', 'two/'], test: ['held/out'] } };
  expect(await countsOf(paths, layout)).toEqual({ 'a train': 2, 'b train': 1, 'a test': 1 });
  await expect(found(paths, { splits: { train: ['three'] } })).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringContaining('no folder three'),
  });
});

test('empty class folders and hidden ones are noted; those of tools are not looked at', async () => {
  const { counts, notes } = await found(
    'a/1.jpg .net/1.jpg .ipynb_checkpoints/1.jpg b/readme.md .empty/x.txt',
  );
  expect(counts).toEqual({ 'a -': 1, '.net -': 1 });
  expect(notes.join('\n')).toContain('without an image is no class: b');
  expect(notes.join('\n')).toContain('.net is hidden');
  expect(notes.join('\n')).not.toMatch(/ipynb|\.empty/);
});

test('a class of photographs in a format that is not read is not lost without a word', async () => {
  const { issues } = await found('a/1.jpg b/1.HEIC b/2.avif');
  expect(issues.map(({ path }) => path)).toEqual(['b/1.HEIC', 'b/2.avif']);
});
