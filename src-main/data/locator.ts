/** Where the bytes of a sample are. */
export interface Locator {
  /** Relative to the dataset's folder, forward slashes; empty where that itself is the file. */
  file: string;
  /**
   * What has to be unpacked before the part can be read, since it cannot be opened in the middle: gzip, and archives, tables and
   * records that are deflated members of others. Each is a piece of what the one before gives; the first, of the file.
   */
  packed?: Packed[];
  /** A piece of that file, or of what was unpacked; without it, the whole. */
  part?: Part;
  /** In pixels of the upright image: left, top, width, height. */
  crop?: Crop;
}

/**
 * `range`: a member of an archive, stored as it is, or deflated to so many bytes.
 * `row`: the bytes of an image in one cell of a Parquet file, both counted from 0; the file may be a member of an archive.
 * `planes`: the red, the green and the blue plane of an image without a header, as CIFAR has them.
 */
export type Part =
  | RangePart
  | { kind: 'row'; row: number; column: string; within?: { offset: number; bytes: number } }
  | { kind: 'planes'; offset: number; width: number; height: number };

export interface RangePart {
  kind: 'range';
  offset: number;
  bytes: number;
  deflated?: { bytes: number };
}

export interface Packed {
  part?: RangePart;
  gzip: boolean;
}

export type Crop = [left: number, top: number, width: number, height: number];

/** A locator with the folder that it is relative to, an absolute path. */
export interface Place {
  folder: string;
  locator: Locator;
}

/** The place of a dataset's image, which is the whole file at its path where it has no locator. */
export const placeIn = (
  folder: string,
  { path, locator }: { path: string; locator?: Locator | null },
): Place => ({ folder, locator: locator ?? { file: path } });

/** The place of a whole file at a path of its own. */
export const placeOfFile = (path: string): Place => ({ folder: path, locator: { file: '' } });

/** Whether it says no more than the path of a whole file. */
export const isPlainFile = ({ packed, part, crop }: Locator): boolean =>
  packed === undefined && part === undefined && crop === undefined;
