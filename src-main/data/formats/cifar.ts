import { z } from 'zod';
import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderWith } from '../annotations/tree-index.ts';
import { planeBytes } from '../planes.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FoundImage } from './format.ts';

const side = 32;

/** Records of one picture each: label bytes, then its red, green and blue plane. */
interface Version {
  title: string;
  /** Files that only it has. */
  marks: readonly [string, ...string[]];
  records: readonly (readonly [Split, string])[];
  /** Label bytes of a record, by the file that names the classes. */
  labels: Readonly<Record<'coarse' | 'fine', { byte: number; names: string }>>;
  labelBytes: number;
}

const versions: readonly Version[] = [
  {
    title: 'CIFAR-10',
    marks: ['batches.meta.txt', 'test_batch.bin'],
    records: [
      ...[1, 2, 3, 4, 5].map((batch) => ['train', `data_batch_${batch}.bin`] as const),
      ['test', 'test_batch.bin'],
    ],
    labels: { fine: { byte: 0, names: 'batches.meta.txt' }, coarse: { byte: 0, names: 'batches.meta.txt' } },
    labelBytes: 1,
  },
  {
    title: 'CIFAR-100',
    marks: ['fine_label_names.txt', 'train.bin'],
    records: [
      ['train', 'train.bin'],
      ['test', 'test.bin'],
    ],
    labels: {
      coarse: { byte: 0, names: 'coarse_label_names.txt' },
      fine: { byte: 1, names: 'fine_label_names.txt' },
    },
    labelBytes: 2,
  },
];

/** Python's versions of both, which are pickles. */
const pickled: readonly [string, ...string[]][] = [
  ['batches.meta', 'data_batch_1'],
  ['meta', 'train', 'test'],
];

function versionOf(tree: FileTree): { version: Version; base: string } | null {
  for (const version of versions) {
    const base = folderWith(tree, version.marks);
    if (base !== null) return { version, base };
  }
  return null;
}

const isPickled = (tree: FileTree): boolean => pickled.some((marks) => folderWith(tree, marks) !== null);

export const cifar: DatasetFormat = {
  name: 'cifar',
  title: 'CIFAR-10 and CIFAR-100',
  help: 'the binary version: data_batch_1.bin to 5 and test_batch.bin with batches.meta.txt, or train.bin and test.bin with fine_label_names.txt',
  source:
    'Krizhevsky, «Learning Multiple Layers of Features from Tiny Images», 2009, «Binary version»; tfds image_classification/cifar.py',
  options: z.strictObject({
    labels: z
      .enum(['fine', 'coarse'])
      .default('fine')
      .meta({ title: 'Classes', description: 'CIFAR-100’s 100 classes, or its 20 superclasses' }),
  }),
  async detect(tree) {
    const found = versionOf(tree);
    if (found) {
      const [first, second] = found.version.marks;
      return {
        confidence: 0.95,
        why: `${second} lies beside ${first}: the binary version of ${found.version.title}.`,
      };
    }
    return isPickled(tree)
      ? { confidence: 0.8, why: 'The files are those of CIFAR’s Python version.' }
      : null;
  },
  async *read(tree, options) {
    const found = versionOf(tree);
    if (!found) throw withoutRecords(isPickled(tree));
    const { version, base } = found;
    const { byte, names } = version.labels[options.values.labels as 'coarse' | 'fine'];
    const classes: string[] = [];
    for (const { text } of await textLines(tree, below(base, names))) classes.push(text);
    options.classes(classes);
    const listed = new ListedImages(tree, options);
    for (const [split, name] of version.records) {
      const file = below(base, name);
      if (tree.files.has(file)) yield* records(tree, { file, split, byte, version, classes, listed });
      else options.tell(`There is no ${file}: its images are missing.`);
    }
  },
};

async function* records(
  tree: FileTree,
  {
    file,
    split,
    byte,
    version,
    classes,
    listed,
  }: {
    file: string;
    split: Split;
    byte: number;
    version: Version;
    classes: readonly string[];
    listed: ListedImages;
  },
): AsyncGenerator<FoundImage> {
  const length = version.labelBytes + planeBytes(side, side);
  const bytes = await tree.read(file);
  if (bytes.length % length !== 0)
    throw new CotuneError(
      'bad-input',
      `${file} has ${bytes.length} bytes, which are no whole records of ${length} bytes.`,
      'Download it again.',
    );
  const { container, within } = await tree.seekable(file);
  const start = within?.offset ?? 0;
  for (let record = 0; record * length < bytes.length; record++) {
    const className = classes[bytes[record * length + byte]];
    if (className === undefined) {
      listed.badRow({ file, at: `record ${record}` }, `its label is ${bytes[record * length + byte]}`);
      continue;
    }
    const offset = start + record * length + version.labelBytes;
    yield {
      path: `${file}/${String(record).padStart(5, '0')}`,
      className,
      split,
      locator: { ...container, part: { kind: 'planes', offset, width: side, height: side } },
    };
  }
}

const withoutRecords = (pickled: boolean): CotuneError =>
  new CotuneError(
    'bad-input',
    pickled
      ? 'This is the Python version of CIFAR: pickles, which may run any program when they are loaded, and so are not.'
      : 'There are no records of CIFAR here.',
    'Download the binary version: cifar-10-binary.tar.gz or cifar-100-binary.tar.gz.',
  );
