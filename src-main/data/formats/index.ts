import { labeledTextFormats } from '../../text/formats/index.ts';
import { caltech101 } from './caltech-101.ts';
import { cifar } from './cifar.ts';
import { coco } from './coco.ts';
import { cub2002011 } from './cub-200-2011.ts';
import { dtd } from './dtd.ts';
import { eurosat } from './eurosat.ts';
import { fgvcAircraft } from './fgvc-aircraft.ts';
import { flowers102 } from './flowers-102.ts';
import { folders } from './folders.ts';
import { food101 } from './food-101.ts';
import type { DatasetFormat } from './format.ts';
import { imageListsFormat } from './image-lists.ts';
import { imagefolder } from './imagefolder.ts';
import { oxfordPets } from './oxford-pets.ts';
import { parquet } from './parquet.ts';
import { stanfordCars } from './stanford-cars.ts';
import { stanfordDogs } from './stanford-dogs.ts';
import { tables } from './tables.ts';
import { textFiles, textFolders } from './texts.ts';
import { webdataset } from './webdataset.ts';

/** How datasets may lie: what anyone may have, then datasets as their authors publish them. */
export const datasetFormats: readonly DatasetFormat[] = [
  folders,
  imageListsFormat,
  tables,
  imagefolder,
  coco,
  parquet,
  webdataset,
  cub2002011,
  stanfordCars,
  fgvcAircraft,
  stanfordDogs,
  oxfordPets,
  flowers102,
  dtd,
  food101,
  caltech101,
  eurosat,
  cifar,
  ...labeledTextFormats.map(textFiles),
  textFolders,
];
