import type { Split } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { FormatOptions, FoundImage } from '../formats/format.ts';
import type { Crop } from '../locator.ts';
import type { FileTree } from '../trees/tree.ts';
import { folderSplits } from './folder-splits.ts';
import { ImageNames, plainName, refusal } from './image-names.ts';
import { folderOf, imagesBelow } from './tree-index.ts';

/** Findings of one kind that are named one by one; of more the number is said. */
const maxNamed = 1000;

/** What a list says of an image. */
export interface Listed {
  className: string;
  /** Null where it says nothing: then the image's folders may. */
  split: Split | null;
  group?: string;
  /** Left, top, width and height in pixels. */
  crop?: Crop;
  where: Where;
}

/** Where something is said, for findings: a file, and a place in it such as `line 3`. */
export interface Where {
  file: string;
  at: string;
}

/** A name as messages show it. */
const shown = (name: string): string => (name.length > 120 ? `${name.slice(0, 120)}…` : name);

const named = ({ file, at }: Where): string => `${file}, ${at}`;

/** Makes images of what the lists and tables of a dataset say, and findings of what they say wrongly. */
export class ListedImages {
  readonly names: ImageNames;
  readonly #tree: FileTree;
  readonly #options: FormatOptions;
  readonly #splitOf: (folder: string) => Split | null;
  readonly #files = new Set<string>();
  readonly #counts = { missing: 0, bad: 0 };
  #firstMissing = '';
  #firstBad = '';

  constructor(tree: FileTree, options: FormatOptions) {
    this.#tree = tree;
    this.#options = options;
    this.names = new ImageNames(tree);
    this.#splitOf = folderSplits(tree);
  }

  /** The image of that name below a folder; null where it is not there, or what is said of it cannot hold. */
  image(folder: string, given: string, listed: Listed): FoundImage | null {
    const name = plainName(given, this.#tree.folder);
    if (name === '') return this.badRow(listed.where, 'it names no file');
    const refused = refusal(name);
    if (refused) return this.badRow(listed.where, `${shown(name)}: ${refused}`);
    const file = this.names.find(folder, name);
    if (file === null) return this.#missing(shown(name), listed.where);
    return this.at(file, listed);
  }

  /** The same for a file of the tree that is known already. */
  at(file: string, { className, split, group, crop, where }: Listed): FoundImage | null {
    if (className === '') return this.badRow(where, `${file} has no label`);
    const path = crop ? `${file}#${crop.join(',')}` : file;
    this.#files.add(file);
    return {
      path,
      // As the names of folders are: the same class whichever way its accents are composed.
      className: className.normalize('NFC'),
      split: split ?? this.#splitOf(folderOf(file)),
      ...(crop && { locator: { ...this.#tree.locate(file), crop } }),
      ...(group && { group }),
    };
  }

  /** Names a row that cannot be used; null, so that it can stand in an image's place. */
  badRow(where: Where, detail: string): null {
    if (this.#counts.bad++ === 0) this.#firstBad = `${named(where)}: ${detail}`;
    if (this.#counts.bad <= maxNamed)
      this.#options.issue({ kind: 'bad-row', path: where.file, detail: `${where.at}: ${detail}` });
    return null;
  }

  #missing(name: string, where: Where): null {
    if (this.#counts.missing++ === 0) this.#firstMissing = `${name} (${named(where)})`;
    const detail = `${named(where)} names it, and it is not there`;
    if (this.#counts.missing <= maxNamed) this.#options.issue({ kind: 'missing-file', path: name, detail });
    return null;
  }

  /**
   * Says how much of the lists could not be used, and how many images of a folder they do not name.
   * @throws CotuneError `bad-input` where not one image was found.
   */
  finish(list: string, folder?: string): void {
    const { missing, bad } = this.#counts;
    if (this.#files.size === 0) {
      const first = this.#firstMissing || this.#firstBad;
      throw new CotuneError(
        'bad-input',
        `None of the images that ${list} names can be used${first ? `; the first: ${first}` : ': it names none'}.`,
        'Check that the images lie where the dataset’s authors put them, and that the folder imported is the one that holds both.',
      );
    }
    if (missing > 0)
      this.#options.tell(
        `${missing === 1 ? '1 image that' : `${missing} images that`} ${list} names ${missing === 1 ? 'is' : 'are'} not there; the first: ${this.#firstMissing}.`,
      );
    if (bad > 0)
      this.#options.tell(
        `${bad === 1 ? '1 row' : `${bad} rows`} of ${list} could not be used; the first: ${this.#firstBad}.`,
      );
    if (folder === undefined) return;
    let others = 0;
    let first = '';
    for (const path of imagesBelow(this.#tree, folder))
      if (!this.#files.has(path) && others++ === 0) first = path;
    if (others > 0)
      this.#options.tell(
        `${others === 1 ? '1 image is' : `${others} images are`} named nowhere in ${list} and left out; the first: ${first}.`,
      );
  }
}
