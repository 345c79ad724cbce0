import type { Padding } from './backbone.ts';
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

/** What a network with the same tensors may compute otherwise than torchvision's; absent where it does not. */
export interface Arithmetic {
  padding?: Padding;
  batchNormEpsilon?: number;
}

/** How another library keeps a network. */
export interface Dialect extends Arithmetic {
  library: string;
  /**
   * Mapping table: its names of the tensors, or of the layers that own them (without the last part, `.weight`), to
   * torchvision's.
   */
  names: ReadonlyMap<string, string>;
  /** Its layers that the network does without. */
  unused?: readonly string[];
}

/** Another network with the very same tensors: only its name tells it. */
export interface Twin extends Arithmetic {
  name: string;
  library: string;
}

/** A network with its names and defaults: what every list of networks, and every way to one, derives from. */
export interface Architecture {
  /** torchvision's name, as in `--architecture`. */
  name: string;
  title: string;
  /** Paper. */
  source: string;
  /** Names that other libraries give it, or networks with the very same tensors and arithmetic. */
  aliases?: readonly string[];
  describe(sizes: Sizes): Description;
  /** The sizes of a file's network; where none fits, those that come closest, so that what differs can be listed. */
  sizesOf?(shapeOf: ShapeOf): Sizes;
  dialects?(): readonly Dialect[];
  twins?: readonly Twin[];
  /** Where another library keeps apart what is one tensor here: its parts by their torchvision names, one below the other. */
  packed?(sizes: Sizes): ReadonlyMap<string, readonly string[]>;
}
