import type { Description } from './description.ts';

/** What distinguishes two files of one architecture. */
export interface Sizes {
  /** Width multiplier; 1 for the published networks. */
  width: number;
  /** Rows and columns of a transformer's positions; absent for the published number. */
  grid?: number;
}

/** Shape of a file's tensor by torchvision's name; undefined where it has none. */
export type ShapeOf = (name: string) => number[] | undefined;

/** A network with its names and defaults: what every list of networks, and every way to one, derives from. */
export interface Architecture {
  /** torchvision's name, as in `--architecture`. */
  name: string;
  title: string;
  /** Paper. */
  source: string;
  /** Names that other libraries give it, or networks with the very same tensors. */
  aliases?: readonly string[];
  describe(sizes: Sizes): Description;
  /** The sizes of a file's network; where none fits, those that come closest, so that what differs can be listed. */
  sizesOf?(shapeOf: ShapeOf): Sizes;
  /**
   * Mapping tables: names that other libraries give its tensors, or the layers that own them (without the last part, `.weight`),
   * to torchvision's.
   */
  otherNames?(sizes: Sizes): readonly ReadonlyMap<string, string>[];
  /** Where another library keeps apart what is one tensor here: its parts by their torchvision names, one below the other. */
  packed?(sizes: Sizes): ReadonlyMap<string, readonly string[]>;
}
