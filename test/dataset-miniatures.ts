/** Datasets as their authors publish them, in small: the files of each by path, and what they hold. */
import type { Split } from '../src-shared/domain.ts';
import { matFile } from './mat-writer.ts';
import type { Files } from './memory-tree.ts';

/** What an image is: its class and split. */
export type Known = readonly [className: string, split: Split | null];

export type ArchiveKind = 'tar' | 'tgz' | 'zip';

export interface Miniature {
  /** Of the format that it is of. */
  format: string;
  /** What is special about it, where a format has several. */
  what: string;
  files: Files;
  images: Readonly<Record<string, Known>>;
  /** In their order, where the dataset has one of its own. */
  classes?: readonly string[];
  /** As it is published: one archive of that kind, or several by name with what each holds; the other files lie beside these. */
  archive?: ArchiveKind | Readonly<Record<string, readonly string[]>>;
  /** Words of the notes that a person should read. */
  notes?: readonly RegExp[];
  issues?: readonly (readonly [kind: string, path: string])[];
}

/** Files by path that all hold the picture of that name; `picture` draws it. */
export type Draw = (path: string) => Uint8Array;

const drawn = (draw: Draw, paths: readonly string[]): Files =>
  Object.fromEntries(paths.map((path) => [path, draw(path)]));

const lines = (...rows: string[]): string => `${rows.join('\n')}\n`;

/** One picture of 32 × 32, red, green and blue plane. */
const record = (labels: number[], value: number): number[] => [
  ...labels,
  ...Array.from({ length: 3072 }, (_, index) => (value + index) % 256),
];

export function miniatures(draw: Draw): Miniature[] {
  const birds = [
    '001.Black_footed_Albatross/a_0001.jpg',
    '002.Laysan_Albatross/b_0002.jpg',
    '002.Laysan_Albatross/c_0003.jpg',
  ];
  const cars = (rows: [string, number][]) =>
    rows.map(([fname, number]) => ({
      bbox_x1: [1],
      bbox_y1: [2],
      bbox_x2: [6],
      bbox_y2: [5],
      class: [number],
      fname,
    }));
  return [
    {
      format: 'cub-200-2011',
      what: 'as CUB_200_2011.tgz holds it',
      archive: 'tgz',
      files: {
        'CUB_200_2011/README': 'Caltech-UCSD Birds-200-2011',
        'CUB_200_2011/images.txt': lines(
          ...birds.map((path, index) => `${index + 1} ${path}`),
          '4 002.Laysan_Albatross/gone.jpg',
        ),
        'CUB_200_2011/image_class_labels.txt': lines('1 1', '2 2', '3 2', '4 2'),
        'CUB_200_2011/classes.txt': lines('1 001.Black_footed_Albatross', '2 002.Laysan_Albatross'),
        'CUB_200_2011/train_test_split.txt': lines('1 1', '2 1', '3 0', '4 0'),
        'CUB_200_2011/bounding_boxes.txt': lines(
          '1 1.0 2.0 3.5 4.0',
          '2 0.0 0.0 5.0 5.0',
          '3 0.0 0.0 5.0 5.0',
          '4 0 0 1 1',
        ),
        ...drawn(
          draw,
          birds.map((path) => `CUB_200_2011/images/${path}`),
        ),
      },
      images: {
        'CUB_200_2011/images/001.Black_footed_Albatross/a_0001.jpg': ['001.Black_footed_Albatross', 'train'],
        'CUB_200_2011/images/002.Laysan_Albatross/b_0002.jpg': ['002.Laysan_Albatross', 'train'],
        'CUB_200_2011/images/002.Laysan_Albatross/c_0003.jpg': ['002.Laysan_Albatross', 'test'],
      },
      notes: [/1 image that .*images.txt names is not there; the first: 002.Laysan_Albatross\/gone.jpg/],
      issues: [['missing-file', '002.Laysan_Albatross/gone.jpg']],
    },
    {
      format: 'stanford-cars',
      what: 'the test labels in the root, beside the devkit',
      archive: {
        'cars_train.tgz': ['cars_train/'],
        'cars_test.tgz': ['cars_test/'],
        'car_devkit.tgz': ['devkit/'],
      },
      files: {
        'devkit/cars_meta.mat': matFile({ class_names: ['BMW M3 Coupe 2012', 'Acura RL Sedan 2012'] }),
        'devkit/cars_train_annos.mat': matFile({
          annotations: cars([
            ['00001.jpg', 2],
            ['00002.jpg', 1],
          ]),
        }),
        'devkit/cars_test_annos.mat': matFile({ annotations: [{ fname: '00001.jpg' }] }),
        'cars_test_annos_withlabels.mat': matFile({ annotations: cars([['00001.jpg', 1]]) }),
        ...drawn(draw, ['cars_train/00001.jpg', 'cars_train/00002.jpg', 'cars_test/00001.jpg']),
      },
      classes: ['BMW M3 Coupe 2012', 'Acura RL Sedan 2012'],
      images: {
        'cars_train/00001.jpg': ['Acura RL Sedan 2012', 'train'],
        'cars_train/00002.jpg': ['BMW M3 Coupe 2012', 'train'],
        'cars_test/00001.jpg': ['BMW M3 Coupe 2012', 'test'],
      },
    },
    {
      format: 'stanford-cars',
      what: 'all images in one folder',
      archive: { 'car_ims.tgz': ['car_ims/'] },
      files: {
        'cars_annos.mat': matFile({
          annotations: (
            [
              ['car_ims/000001.jpg', 2, 0],
              ['car_ims/000002.jpg', 1, 1],
            ] as const
          ).map(([path, number, test]) => ({
            relative_im_path: path,
            bbox_x1: [1],
            bbox_y1: [2],
            bbox_x2: [6],
            bbox_y2: [5],
            class: [number],
            test: [test],
          })),
          class_names: ['AM General Hummer SUV 2000', 'Acura RL Sedan 2012'],
        }),
        ...drawn(draw, ['car_ims/000001.jpg', 'car_ims/000002.jpg']),
      },
      classes: ['AM General Hummer SUV 2000', 'Acura RL Sedan 2012'],
      images: {
        'car_ims/000001.jpg': ['Acura RL Sedan 2012', 'train'],
        'car_ims/000002.jpg': ['AM General Hummer SUV 2000', 'test'],
      },
    },
    {
      format: 'fgvc-aircraft',
      what: 'variants with blanks in their names',
      archive: 'tgz',
      files: {
        'fgvc-aircraft-2013b/data/variants.txt': lines('707-320', 'Beechcraft 1900', 'F/A-18'),
        'fgvc-aircraft-2013b/data/families.txt': lines('Boeing 707', 'Beechcraft 1900', 'F/A-18'),
        'fgvc-aircraft-2013b/data/images_variant_train.txt': lines(
          '1025794 707-320',
          '1340192 Beechcraft 1900',
        ),
        'fgvc-aircraft-2013b/data/images_variant_val.txt': lines('0056978 Beechcraft 1900'),
        'fgvc-aircraft-2013b/data/images_variant_trainval.txt': lines(
          '1025794 707-320',
          '1340192 Beechcraft 1900',
          '0056978 Beechcraft 1900',
        ),
        'fgvc-aircraft-2013b/data/images_variant_test.txt': lines('0062765 F/A-18'),
        ...drawn(
          draw,
          ['1025794', '1340192', '0056978', '0062765'].map(
            (id) => `fgvc-aircraft-2013b/data/images/${id}.jpg`,
          ),
        ),
      },
      classes: ['707-320', 'Beechcraft 1900', 'F/A-18'],
      images: {
        'fgvc-aircraft-2013b/data/images/1025794.jpg': ['707-320', 'train'],
        'fgvc-aircraft-2013b/data/images/1340192.jpg': ['Beechcraft 1900', 'train'],
        'fgvc-aircraft-2013b/data/images/0056978.jpg': ['Beechcraft 1900', 'val'],
        'fgvc-aircraft-2013b/data/images/0062765.jpg': ['F/A-18', 'test'],
      },
    },
    {
      format: 'stanford-dogs',
      what: 'images.tar and lists.tar unpacked side by side',
      archive: {
        'images.tar': ['Images/'],
        'annotation.tar': ['Annotation/'],
        'lists.tar': ['train_list.mat', 'test_list.mat', 'file_list.mat'],
      },
      files: {
        'train_list.mat': matFile({
          file_list: ['n02085620-Chihuahua/n02085620_7.jpg', 'n02085782-Japanese_spaniel/n02085782_2.jpg'],
          labels: [1, 2],
        }),
        'test_list.mat': matFile({ file_list: ['n02085620-Chihuahua/n02085620_8.jpg'], labels: [1] }),
        'file_list.mat': matFile({ file_list: [] }),
        'Annotation/n02085620-Chihuahua/n02085620_7': '<annotation/>',
        ...drawn(draw, [
          'Images/n02085620-Chihuahua/n02085620_7.jpg',
          'Images/n02085620-Chihuahua/n02085620_8.jpg',
          'Images/n02085782-Japanese_spaniel/n02085782_2.jpg',
        ]),
      },
      images: {
        'Images/n02085620-Chihuahua/n02085620_7.jpg': ['Chihuahua', 'train'],
        'Images/n02085782-Japanese_spaniel/n02085782_2.jpg': ['Japanese_spaniel', 'train'],
        'Images/n02085620-Chihuahua/n02085620_8.jpg': ['Chihuahua', 'test'],
      },
      notes: [/part of ImageNet/],
    },
    {
      format: 'oxford-pets',
      what: 'with its strays among the images',
      archive: { 'images.tar.gz': ['images/'], 'annotations.tar.gz': ['annotations/'] },
      files: {
        'annotations/README': 'x',
        'annotations/list.txt': lines('#Image CLASS-ID SPECIES BREED ID', 'Abyssinian_100 1 1 1'),
        'annotations/trainval.txt': lines(
          'Abyssinian_100 1 1 1',
          'great_pyrenees_12 16 2 9',
          'great_pyrenees_13 16',
        ),
        'annotations/test.txt': lines('Abyssinian_201 1 1 1'),
        'images/Abyssinian_100.mat': 'MATLAB 5.0',
        ...drawn(
          draw,
          ['Abyssinian_100', 'great_pyrenees_12', 'Abyssinian_201', 'Abyssinian_34'].map(
            (id) => `images/${id}.jpg`,
          ),
        ),
      },
      images: {
        'images/Abyssinian_100.jpg': ['Abyssinian', 'train'],
        'images/great_pyrenees_12.jpg': ['great_pyrenees', 'train'],
        'images/Abyssinian_201.jpg': ['Abyssinian', 'test'],
      },
      notes: [/1 image is named nowhere .*Abyssinian_34/, /1 row of annotations\/ could not be used/],
      issues: [['bad-row', 'annotations/trainval.txt']],
    },
    {
      format: 'flowers-102',
      what: 'test images outnumber the training images, and the classes have no names',
      archive: { '102flowers.tgz': ['jpg/'] },
      files: {
        'imagelabels.mat': matFile({ labels: [77, 3, 77, 3, 3] }),
        'setid.mat': matFile({ trnid: [1], valid: [2], tstid: [3, 4, 5, 9] }),
        ...drawn(
          draw,
          [1, 2, 3, 4, 5].map((id) => `jpg/image_0000${id}.jpg`),
        ),
      },
      classes: ['03', '77'],
      images: {
        'jpg/image_00001.jpg': ['77', 'train'],
        'jpg/image_00002.jpg': ['03', 'val'],
        'jpg/image_00003.jpg': ['77', 'test'],
        'jpg/image_00004.jpg': ['03', 'test'],
        'jpg/image_00005.jpg': ['03', 'test'],
      },
      notes: [/name no classes/, /3 test images against 1 for training and 1 for validation/],
      issues: [['bad-row', 'setid.mat']],
    },
    {
      format: 'dtd',
      what: 'partition 1 of ten',
      archive: 'tgz',
      files: {
        ...Object.fromEntries(
          [1, 2].flatMap((partition) => [
            [
              `dtd/labels/train${partition}.txt`,
              lines(`banded/banded_000${partition}.jpg`, 'dotted/dotted_0001.jpg'),
            ],
            [`dtd/labels/val${partition}.txt`, lines(`banded/banded_000${3 - partition}.jpg`)],
            [`dtd/labels/test${partition}.txt`, lines('banded/banded_0003.jpg')],
          ]),
        ),
        'dtd/labels/labels_joint_anno.txt': lines('banded/banded_0001.jpg banded'),
        ...drawn(
          draw,
          ['banded/banded_0001', 'banded/banded_0002', 'banded/banded_0003', 'dotted/dotted_0001'].map(
            (name) => `dtd/images/${name}.jpg`,
          ),
        ),
      },
      images: {
        'dtd/images/banded/banded_0001.jpg': ['banded', 'train'],
        'dtd/images/dotted/dotted_0001.jpg': ['dotted', 'train'],
        'dtd/images/banded/banded_0002.jpg': ['banded', 'val'],
        'dtd/images/banded/banded_0003.jpg': ['banded', 'test'],
      },
      notes: [/partition 1/],
    },
    {
      format: 'food-101',
      what: 'paths without a suffix',
      archive: 'tgz',
      files: {
        'food-101/meta/classes.txt': lines('apple_pie', 'sushi'),
        'food-101/meta/train.json': JSON.stringify({
          apple_pie: ['apple_pie/1005649'],
          sushi: ['sushi/1', 'sushi/2'],
        }),
        'food-101/meta/test.json': JSON.stringify({ apple_pie: ['apple_pie/1011328'], sushi: [] }),
        'food-101/meta/train.txt': lines('apple_pie/1005649', 'sushi/1', 'sushi/2'),
        'food-101/meta/test.txt': lines('apple_pie/1011328'),
        ...drawn(
          draw,
          ['apple_pie/1005649', 'apple_pie/1011328', 'sushi/1', 'sushi/2'].map(
            (name) => `food-101/images/${name}.jpg`,
          ),
        ),
      },
      images: {
        'food-101/images/apple_pie/1005649.jpg': ['apple_pie', 'train'],
        'food-101/images/sushi/1.jpg': ['sushi', 'train'],
        'food-101/images/sushi/2.jpg': ['sushi', 'train'],
        'food-101/images/apple_pie/1011328.jpg': ['apple_pie', 'test'],
      },
      notes: [/noise on purpose/],
    },
    {
      format: 'caltech-101',
      what: 'without its background',
      archive: 'tgz',
      files: drawn(draw, [
        '101_ObjectCategories/BACKGROUND_Google/image_0001.jpg',
        '101_ObjectCategories/Faces_easy/image_0001.jpg',
        '101_ObjectCategories/okapi/image_0001.jpg',
      ]),
      images: {
        '101_ObjectCategories/Faces_easy/image_0001.jpg': ['Faces_easy', null],
        '101_ObjectCategories/okapi/image_0001.jpg': ['okapi', null],
      },
      notes: [/BACKGROUND_Google, 1 pictures of anything, is no class/],
    },
    {
      format: 'eurosat',
      what: 'the folder of its archive',
      archive: 'zip',
      files: drawn(
        draw,
        ['AnnualCrop', 'Forest', 'HerbaceousVegetation', 'Highway', 'River', 'SeaLake'].map(
          (name) => `2750/${name}/${name}_1.jpg`,
        ),
      ),
      images: Object.fromEntries(
        ['AnnualCrop', 'Forest', 'HerbaceousVegetation', 'Highway', 'River', 'SeaLake'].map((name) => [
          `2750/${name}/${name}_1.jpg`,
          [name, null],
        ]),
      ),
      notes: [/no official splits/],
    },
    {
      format: 'cifar',
      what: 'CIFAR-10, binary',
      archive: 'tgz',
      files: {
        'cifar-10-batches-bin/batches.meta.txt': lines('airplane', 'automobile', '', ''),
        ...Object.fromEntries(
          [1, 2, 3, 4, 5].map((batch) => [
            `cifar-10-batches-bin/data_batch_${batch}.bin`,
            Uint8Array.from([...record([1], batch), ...record([0], batch + 9)]),
          ]),
        ),
        'cifar-10-batches-bin/test_batch.bin': Uint8Array.from([...record([1], 77), ...record([9], 78)]),
      },
      classes: ['airplane', 'automobile'],
      images: {
        ...Object.fromEntries(
          [1, 2, 3, 4, 5].flatMap((batch): [string, Known][] => [
            [`cifar-10-batches-bin/data_batch_${batch}.bin/00000`, ['automobile', 'train']],
            [`cifar-10-batches-bin/data_batch_${batch}.bin/00001`, ['airplane', 'train']],
          ]),
        ),
        'cifar-10-batches-bin/test_batch.bin/00000': ['automobile', 'test'],
      },
      issues: [['bad-row', 'cifar-10-batches-bin/test_batch.bin']],
    },
    {
      format: 'cifar',
      what: 'CIFAR-100, binary',
      archive: 'tgz',
      files: {
        'cifar-100-binary/fine_label_names.txt': lines('apple', 'aquarium_fish', 'baby'),
        'cifar-100-binary/coarse_label_names.txt': lines('aquatic_mammals', 'fish'),
        'cifar-100-binary/train.bin': Uint8Array.from([...record([1, 2], 3), ...record([0, 1], 4)]),
        'cifar-100-binary/test.bin': Uint8Array.from(record([1, 0], 5)),
      },
      classes: ['apple', 'aquarium_fish', 'baby'],
      images: {
        'cifar-100-binary/train.bin/00000': ['baby', 'train'],
        'cifar-100-binary/train.bin/00001': ['aquarium_fish', 'train'],
        'cifar-100-binary/test.bin/00000': ['apple', 'test'],
      },
    },
    {
      format: 'coco',
      what: 'objects cut out, categories with gaps in their numbers',
      archive: {
        'train2017.zip': ['train2017/'],
        'val2017.zip': ['val2017/'],
        'annotations_trainval2017.zip': ['annotations/'],
      },
      files: {
        'annotations/instances_train2017.json': JSON.stringify({
          info: { year: 2017 },
          licenses: [{ id: 1 }],
          images: [
            { id: 9, file_name: '000009.jpg', width: 100, height: 80 },
            { id: 25, file_name: '000025.jpg', width: 100, height: 80 },
          ],
          annotations: [
            {
              id: 1,
              image_id: 9,
              category_id: 18,
              bbox: [10.4, 10, 40.2, 40],
              iscrowd: 0,
              segmentation: [[1, 2]],
            },
            { id: 2, image_id: 9, category_id: 90, bbox: [60, 40, 60, 60], iscrowd: 0 },
            { id: 3, image_id: 25, category_id: 18, bbox: [0, 0, 5, 5], iscrowd: 0 },
            { id: 4, image_id: 25, category_id: 18, bbox: [0, 0, 90, 70], iscrowd: 1 },
            { id: 5, image_id: 77, category_id: 18, bbox: [0, 0, 50, 50], iscrowd: 0 },
          ],
          categories: [
            { id: 18, name: 'dog', supercategory: 'animal' },
            { id: 90, name: 'toothbrush' },
          ],
        }),
        'annotations/instances_val2017.json': JSON.stringify({
          images: [{ id: 1, file_name: '000001.jpg', width: 100, height: 80 }],
          annotations: [{ id: 1, image_id: 1, category_id: 18, bbox: [0, 0, 50, 50], iscrowd: 0 }],
          categories: [{ id: 18, name: 'dog' }],
        }),
        ...drawn(draw, ['train2017/000009.jpg', 'train2017/000025.jpg', 'val2017/000001.jpg']),
      },
      images: {
        'train2017/000009.jpg#10,10,41,40': ['dog', 'train'],
        'train2017/000009.jpg#60,40,40,40': ['toothbrush', 'train'],
        'val2017/000001.jpg#0,0,50,50': ['dog', 'val'],
      },
      notes: [/1 boxes with a side under 32/, /1 crowds/],
      issues: [['bad-row', 'annotations/instances_train2017.json']],
    },
    {
      format: 'lists',
      what: 'COCO-70: classes.txt and lists with folders of the same names',
      archive: 'tar',
      files: {
        'classes.txt': lines('person', 'hot dog'),
        'train.txt': lines('1.jpg 1', '2.jpg 0'),
        'dev.txt': lines('1.jpg 0'),
        'test.txt': lines('3.jpg 1'),
        ...drawn(draw, ['train/1.jpg', 'train/2.jpg', 'dev/1.jpg', 'test/3.jpg']),
      },
      classes: ['person', 'hot dog'],
      images: {
        'train/1.jpg': ['hot dog', 'train'],
        'train/2.jpg': ['person', 'train'],
        'dev/1.jpg': ['person', 'val'],
        'test/3.jpg': ['hot dog', 'test'],
      },
    },
    {
      format: 'lists',
      what: 'TLlib: several rates, blanks in paths, labels last',
      files: {
        'image_list/train_100.txt': lines(
          'train/001.Black footed/a b.jpg 0',
          'train/001.Black footed/c.jpg 0',
          'train/002.Laysan/d.jpg 1',
          'train/002.Laysan/e.jpg 1',
        ),
        'image_list/train_50.txt': lines('train/001.Black footed/a b.jpg 0', 'train/002.Laysan/d.jpg 1'),
        'image_list/train_15.txt': lines('train/001.Black footed/a b.jpg 0'),
        'image_list/test.txt': lines(
          'test/001.Black footed/f.jpg 0',
          'test/002.Laysan/g.jpg 1',
          'test/002.Laysan/g.jpg one',
          '../outside.jpg 1',
          'https://example.org/x.jpg 1',
          '/etc/x.jpg 1',
        ),
        ...drawn(draw, [
          'train/001.Black footed/a b.jpg',
          'train/001.Black footed/c.jpg',
          'train/002.Laysan/d.jpg',
          'train/002.Laysan/e.jpg',
          'test/001.Black footed/f.jpg',
          'test/002.Laysan/g.jpg',
        ]),
      },
      classes: ['001.Black footed', '002.Laysan'],
      images: {
        'train/001.Black footed/a b.jpg': ['001.Black footed', 'train'],
        'train/001.Black footed/c.jpg': ['001.Black footed', 'train'],
        'train/002.Laysan/d.jpg': ['002.Laysan', 'train'],
        'train/002.Laysan/e.jpg': ['002.Laysan', 'train'],
        'test/001.Black footed/f.jpg': ['001.Black footed', 'test'],
        'test/002.Laysan/g.jpg': ['002.Laysan', 'test'],
      },
      notes: [/image_list\/train_100.txt, of 3 lists; the option rate chooses another: 100, 50, 15/],
      issues: Array.from({ length: 4 }, () => ['bad-row', 'image_list/test.txt'] as const),
    },
    {
      format: 'lists',
      what: 'ft-datalist: paths alone, whose folders are the classes',
      files: {
        'ft-datalist/cub200_100_train.txt': lines('train/Hooded Oriole/a.jpg', 'train/Fish Crow/b.jpg'),
        'ft-datalist/cub200_15_train.txt': lines('train/Fish Crow/b.jpg'),
        'ft-datalist/cub200_test.txt': lines('test/Fish Crow/c.jpg'),
        'ft-datalist/stanford_cars_100_train.txt': lines('train/171/014016.jpg'),
        'ft-datalist/stanford_cars_test.txt': lines('test/171/014017.jpg'),
        ...drawn(draw, ['train/Hooded Oriole/a.jpg', 'train/Fish Crow/b.jpg', 'test/Fish Crow/c.jpg']),
      },
      images: {
        'train/Hooded Oriole/a.jpg': ['Hooded Oriole', 'train'],
        'train/Fish Crow/b.jpg': ['Fish Crow', 'train'],
        'test/Fish Crow/c.jpg': ['Fish Crow', 'test'],
      },
    },
    {
      format: 'tables',
      what: 'Kaggle: a table of ids without their suffix',
      archive: 'zip',
      files: {
        'labels.csv': lines(
          'id,breed',
          '000bec,boston_bull',
          '001513,dingo',
          '"001cdf",dingo',
          '00ffff,dingo',
          ',dingo',
          '001513',
        ),
        'sample_submission.csv': lines('id,boston_bull,dingo', '000bec,0.5,0.5'),
        ...drawn(draw, ['train/000bec.jpg', 'train/001513.jpg', 'train/001cdf.jpg']),
      },
      images: {
        'train/000bec.jpg': ['boston_bull', null],
        'train/001513.jpg': ['dingo', null],
        'train/001cdf.jpg': ['dingo', null],
      },
      issues: [
        ['missing-file', '00ffff'],
        ['bad-row', 'labels.csv'],
        ['bad-row', 'labels.csv'],
      ],
    },
    {
      format: 'tables',
      what: 'columns of splits, groups and boxes, separated by semicolons',
      files: {
        'faces.csv': lines(
          'split;image_path;x1;y1;x2;y2;emotion;subject',
          'train;img\\a.png;1;2;11;22;"happy; very";s1',
          'dev;img\\b.png;0;0;5;5;sad;s2',
          'test;img\\b.png;5;5;5;9;sad;s2',
          'test;img\\c.png;0;0;9;9;sad;s3',
        ),
        ...drawn(draw, ['img/a.png', 'img/b.png', 'img/c.png']),
      },
      images: {
        'img/a.png#1,2,10,20': ['happy; very', 'train'],
        'img/b.png#0,0,5,5': ['sad', 'val'],
        'img/c.png#0,0,9,9': ['sad', 'test'],
      },
      issues: [['bad-row', 'faces.csv']],
    },
    {
      format: 'tables',
      what: 'Roboflow: a column for each class, a table in each split',
      files: {
        'train/_classes.csv': lines('filename, cat, dog', 'a.jpg, 1, 0', 'b.jpg, 0, 1', 'c.jpg, 1, 1'),
        'valid/_classes.csv': lines('filename, cat, dog', 'd.jpg, 0, 1'),
        'test/_classes.csv': lines('filename, cat, dog', 'e.jpg, 1, 0'),
        ...drawn(draw, ['train/a.jpg', 'train/b.jpg', 'train/c.jpg', 'valid/d.jpg', 'test/e.jpg']),
      },
      images: {
        'train/a.jpg': ['cat', 'train'],
        'train/b.jpg': ['dog', 'train'],
        'valid/d.jpg': ['dog', 'val'],
        'test/e.jpg': ['cat', 'test'],
      },
      issues: [['bad-row', 'train/_classes.csv']],
    },
    {
      format: 'tables',
      what: 'JSON lines',
      files: {
        'train.jsonl': lines(
          '{"image": "a.jpg", "label": "cat"}',
          '{"image": "b.jpg", "label": "dog", "extra": {"deep": [1]}}',
          'no json',
        ),
        'test.jsonl': lines('{"image": "c.jpg", "label": "dog"}'),
        ...drawn(draw, ['images/a.jpg', 'images/b.jpg', 'images/c.jpg']),
      },
      images: {
        'images/a.jpg': ['cat', 'train'],
        'images/b.jpg': ['dog', 'train'],
        'images/c.jpg': ['dog', 'test'],
      },
      issues: [['bad-row', 'train.jsonl']],
    },
    {
      format: 'imagefolder',
      what: 'metadata.csv in each split; folders are no labels then',
      files: {
        'train/metadata.csv': lines(
          'file_name,label,caption',
          'x/0001.png,cat,a cat',
          'y/0002.png,dog,"a dog, too"',
          '../up.png,dog,x',
        ),
        'validation/metadata.csv': lines('file_name,label,caption', 'x/0003.png,dog,x'),
        ...drawn(draw, ['train/x/0001.png', 'train/y/0002.png', 'validation/x/0003.png']),
      },
      images: {
        'train/x/0001.png': ['cat', 'train'],
        'train/y/0002.png': ['dog', 'train'],
        'validation/x/0003.png': ['dog', 'val'],
      },
      notes: [/folders are no labels/],
      issues: [['bad-row', 'train/metadata.csv']],
    },
    {
      format: 'imagefolder',
      what: 'metadata.jsonl for all',
      files: {
        'metadata.jsonl': lines(
          '{"file_name": "train/0001.png", "label": "cat"}',
          '{"file_name": "test/0002.png", "label": "dog"}',
        ),
        ...drawn(draw, ['train/0001.png', 'test/0002.png']),
      },
      images: { 'train/0001.png': ['cat', 'train'], 'test/0002.png': ['dog', 'test'] },
    },
    {
      format: 'webdataset',
      what: 'shards as their tars hold them: numbers, and their names beside',
      files: {
        'classnames.txt': lines('cat', 'dog'),
        ...shard('train-000000', draw, [
          ['0001', '1'],
          ['0002', '0'],
        ]),
        ...shard('train-000001', draw, [
          ['0003', '1'],
          ['0004', '7'],
        ]),
        ...shard('test-000000', draw, [['0001', '0']]),
      },
      classes: ['cat', 'dog'],
      images: {
        'train-000000/0001.jpg': ['dog', 'train'],
        'train-000000/0002.jpg': ['cat', 'train'],
        'train-000001/0003.jpg': ['dog', 'train'],
        'test-000000/0001.jpg': ['cat', 'test'],
      },
      issues: [['bad-row', 'train-000001/0004.cls']],
    },
    {
      format: 'webdataset',
      what: 'labels in JSON, names with several dots',
      files: {
        'shard-000000/a.seg.png': draw('a.seg'),
        'shard-000000/a.json': '{"label": "cat", "width": 3}',
        'shard-000000/b.jpg': draw('b'),
        'shard-000000/b.json': '{"label": "dog"}',
      },
      images: { 'shard-000000/a.seg.png': ['cat', null], 'shard-000000/b.jpg': ['dog', null] },
    },
  ];
}

const shard = (name: string, draw: Draw, samples: [string, string][]): Files =>
  Object.fromEntries(
    samples.flatMap(([key, label]): [string, Uint8Array | string][] => [
      [`${name}/${key}.cls`, label],
      [`${name}/${key}.jpg`, draw(`${name}/${key}`)],
    ]),
  );
