import { extname } from 'node:path';
import type { ImportLayout } from '../../../src-shared/contract.ts';
import { type Split, splits } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Folder } from '../folder.ts';
import { isContainerName, noLabelNameOf, splitNameOf } from './split-names.ts';

/** A folder whose images, and those of every folder in it, are of one class. `split` is null where none is given. */
export interface ClassFolder {
  className: string;
  folder: Folder;
  split: Split | null;
}

/** What the folders of a dataset were taken for. */
export interface Layout {
  classFolders: ClassFolder[];
  /** Folders above class folders: their own images belong to no class. */
  above: Folder[];
  /** Of those, the folder that holds the splits. */
  base: Folder | null;
  /** Folders of images without a label. */
  unlabelled: Folder[];
  notes: string[];
}

/** A split's folder, or the dataset's where there are no splits. */
interface Part {
  folder: Folder;
  split: Split | null;
}

interface Parts {
  base: Folder | null;
  parts: Part[];
  unlabelled: Folder[];
  notes: string[];
}

/**
 * Says which folders are splits, which are classes, and which hold images without a label. Splits are found by their names
 * (`splitNameOf`) where the training folder holds folders; classes are the folders directly inside, or `classesAt`
 * levels down. Whatever is not the plain layout, `train/ val/ test/` of class folders or class folders alone, is noted.
 * @throws CotuneError `bad-input` where there are splits without class folders, or named folders that are not there.
 */
export function layoutOf(root: Folder, choice: ImportLayout): Layout {
  const whole: Parts = { base: null, parts: [{ folder: root, split: null }], unlabelled: [], notes: [] };
  const { base, parts, unlabelled, notes } =
    choice.splits === 'names'
      ? (namedAlike(root) ?? whole)
      : { ...whole, ...(choice.splits !== 'none' && { base: root, parts: givenParts(root, choice.splits) }) };
  const layout: Layout = { base, classFolders: [], above: base ? [base] : [], unlabelled, notes };
  const trained = new Set<string>();
  const paths = new Map<ClassFolder, string>();
  for (const { folder, split } of parts.toSorted((a, b) => order(a.split) - order(b.split))) {
    const content = choice.classesAt === undefined ? contentOf(folder, split === null) : folder;
    if (split === null && content !== folder) {
      layout.notes.push(`The images were found inside the folder ${content.path}.`);
    }
    const isTrain = (split ?? 'train') === 'train';
    const level = (choice.classesAt ?? 1) - 1;
    const { classFolders, above } = foldersAt(content, level);
    const without = isTrain ? [] : unlabelledAmong(folder, content, classFolders, trained);
    if (!isTrain && classFolders.length === without.length && content.below > 0) {
      layout.unlabelled.push(...(content.images > 0 ? [content] : without));
      continue;
    }
    const someClass = split !== null ? content.below > 0 : classFolders.length > 0;
    if (isTrain && someClass && choice.splits !== 'none' && isFlat(folder, content, classFolders)) {
      throw flat([split === null ? (classFolders[0] ?? content) : folder], content);
    }
    layout.unlabelled.push(...without);
    layout.above.push(...above);
    for (const inner of classFolders.filter((one) => !without.includes(one))) {
      const classFolder = { className: inner.name, folder: inner, split };
      paths.set(
        classFolder,
        level === 0 ? inner.name : inner.path.slice(content.path.length && content.path.length + 1),
      );
      if (isTrain) trained.add(inner.name);
      layout.classFolders.push(classFolder);
    }
    noteInner(layout, folder, content, classFolders, choice.classesAt ?? 1);
  }
  nameApart(layout.classFolders, paths);
  return layout;
}

const order = (split: Split | null): number => (split === null ? 0 : splits.indexOf(split));
const holding = (folder: Folder): Folder[] => folder.folders.filter(({ below }) => below > 0);
const isNested = (folder: Folder): boolean => holding(folder).length > 0;

/** The folders named as splits, each below the root. */
function givenParts(root: Folder, given: Partial<Record<Split, string[]>>): Part[] {
  return splits.flatMap((split) =>
    (given[split] ?? []).map((path) => {
      const wanted = path.split(/[\\/]+/).filter((name) => name !== '' && name !== '.');
      let folder: Folder | undefined = root;
      for (const name of wanted)
        folder = folder?.folders.find((one) => one.name.normalize('NFC') === name.normalize('NFC'));
      if (folder) return { folder, split };
      const known = some(root.folders.map(({ name }) => name));
      throw new CotuneError(
        'bad-input',
        `There is no folder ${path} in the dataset's folder, which holds ${known || 'no folders'}.`,
        'Name it as it lies below the folder that is imported, e.g. train.',
      );
    }),
  );
}

/** The split folders by their names, as deep as one folder lies alone inside another; null where there are none. */
function namedAlike(root: Folder): Parts | null {
  for (let base = root; ; ) {
    const found = splitsIn(root, base) ?? splitsInClasses(base);
    if (found) {
      if (base !== root) found.notes.unshift(`The images were found inside the folder ${base.path}.`);
      return found;
    }
    const inner = holding(base);
    if (inner.length !== 1 || base.images > 0 || !isNested(inner[0])) return null;
    base = inner[0];
  }
}

function splitsIn(root: Folder, base: Folder): Parts | null {
  const inside = holding(base);
  const named = inside.flatMap((folder) => {
    const name = splitNameOf(folder.name);
    return name ? [{ folder, ...name }] : [];
  });
  const families = [...Map.groupBy(named, ({ rest }) => rest)].sort(([a], [b]) => a.length - b.length);
  // A class may be called "train" or "test tube": only a training folder of folders is a split, and one with other
  // words in its name only beside a second split with the same.
  const family = families.find(
    ([rest, members]) =>
      members.some(({ folder, split }) => split === 'train' && isNested(folder)) &&
      (rest === '' || members.some(({ split }) => split !== 'train')),
  );
  if (family) return partsOf(base, inside, family);

  const [rest, members] = families[0] ?? ['', []];
  const kinds = new Set(members.map(({ split }) => split));
  const others = inside.filter(
    (folder) => !members.some((one) => one.folder === folder) && noLabelNameOf(folder.name) === null,
  );
  if (members.length > 0 && (rest === '' || kinds.size > 1)) {
    const flats = members.filter(({ folder }) => !isNested(folder)).map(({ folder }) => folder);
    if (others.length === 0 || (kinds.has('train') && kinds.size > 1 && tables(base).length > 0)) {
      if (kinds.has('train') || flats.length === members.length) throw flat(flats, base);
      throw withoutTrain(
        root,
        members.map(({ folder }) => folder.path),
      );
    }
    if (rest === '' && flats.length > 0) {
      const names = some(flats.map(({ name }) => name));
      return {
        base: null,
        parts: [{ folder: base, split: null }],
        unlabelled: [],
        notes: [
          `${names} ${flats.length === 1 ? 'is' : 'are'} named like a split but holds images directly: taken as a class.`,
        ],
      };
    }
  }
  return null;
}

function partsOf(
  base: Folder,
  inside: Folder[],
  [rest, members]: [string, { folder: Folder; split: Split }[]],
): Parts {
  const taken = new Set(members.map(({ folder }) => folder));
  const unlabelled = inside.filter(
    (folder) => !taken.has(folder) && [rest, ''].includes(noLabelNameOf(folder.name) ?? '?'),
  );
  const ignored = base.folders.filter((folder) => !taken.has(folder) && !unlabelled.includes(folder));
  const notes: string[] = [];
  if (ignored.length > 0) {
    const lost = ignored.reduce((sum, { below }) => sum + below, 0);
    const holds = lost > 0 ? `, which hold ${lost} images` : '';
    notes.push(`Folders beside train were not read: ${some(ignored.map(({ name }) => name))}${holds}.`);
  }
  if (members.some(({ folder }) => !plainNames.test(folder.name))) {
    const words = { train: 'training', val: 'validation', test: 'test' };
    const sorted = members.toSorted((a, b) => order(a.split) - order(b.split));
    const said = sorted.map(({ folder, split }) => `${folder.name} (${words[split]})`);
    notes.push(
      `Taken as splits by their names: ${some(said)}. Where that is wrong: import with --no-splits, or with --train, --val and --test.`,
    );
  }
  return { base, parts: members, unlabelled, notes };
}

const plainNames = /^(train|training|val|valid|validation|test|testing)$/i;

/** Every class folder holds the splits: `cat/train`, `cat/test`, `dog/train`, … */
function splitsInClasses(base: Folder): Parts | null {
  const classes = holding(base);
  const isSplit = (folder: Folder) => splitNameOf(folder.name)?.rest === '' && !isNested(folder);
  const all = classes.every(
    (one) =>
      one.images === 0 &&
      holding(one).every(isSplit) &&
      holding(one).some(({ name }) => splitNameOf(name)!.split === 'train'),
  );
  if (classes.length < 2 || !all) return null;
  // The same tree with its two levels exchanged.
  const parts = splits.flatMap((split): Part[] => {
    const folders = classes.flatMap((one) =>
      holding(one)
        .filter(({ name }) => splitNameOf(name)!.split === split)
        .map((inner) => ({ ...inner, name: one.name })),
    );
    const below = folders.reduce((sum, folder) => sum + folder.below, 0);
    return below === 0
      ? []
      : [{ split, folder: { ...base, name: split, folders, files: [], images: 0, below } }];
  });
  return { base, parts, unlabelled: [], notes: ['The splits are folders inside the class folders.'] };
}

/**
 * Where a split's class folders lie: inside a folder that it holds alone (`train/images/`, `seg_train/seg_train/`), if that
 * is no class itself. `any`: whatever its name and however few it holds.
 */
function contentOf(folder: Folder, any: boolean): Folder {
  let content = folder;
  for (;;) {
    const [only, second] = holding(content);
    if (content.images > 0 || !only || second || only.images > 0 || !isNested(only)) return content;
    if (!any && !isContainer(folder, only) && holding(only).length < 2) return content;
    content = only;
  }
}

const isContainer = (folder: Folder, inner: Folder): boolean =>
  isContainerName(inner.name) ||
  inner.name.toLowerCase() === folder.name.toLowerCase() ||
  splitNameOf(inner.name)?.rest === '';

/** Whether a training folder holds images but no class folders, be it inside a folder of its own. */
const isFlat = (folder: Folder, content: Folder, classFolders: Folder[]): boolean =>
  classFolders.length === 0 ||
  (classFolders.length === 1 &&
    !isNested(classFolders[0]) &&
    isContainer(folder, classFolders[0]) &&
    content.images === 0);

/** Of the folders in a test or validation split, those whose images have no label. */
function unlabelledAmong(folder: Folder, content: Folder, inside: Folder[], trained: Set<string>): Folder[] {
  const alone = inside.length === 1 && content.images === 0;
  return inside.filter(
    (one) =>
      !trained.has(one.name) && (noLabelNameOf(one.name) !== null || (alone && isContainer(folder, one))),
  );
}

/** The folders `level` levels below those directly inside a folder, and the folders above them. */
function foldersAt(folder: Folder, level: number): { classFolders: Folder[]; above: Folder[] } {
  if (level === 0) return { classFolders: holding(folder), above: [folder] };
  const below = holding(folder).map((inner) => foldersAt(inner, level - 1));
  return {
    classFolders: below.flatMap(({ classFolders }) => classFolders),
    above: [folder, ...below.flatMap(({ above }) => above)],
  };
}

/** Folders inside class folders may be the classes that were meant. */
function noteInner(
  layout: Layout,
  part: Folder,
  content: Folder,
  classes: Folder[],
  classesAt: number,
): void {
  const deep = classes.filter((one) => holding(one).length > 1);
  if (deep.length === 0) return;
  const inner = deep.flatMap((one) => holding(one).map(({ name }) => `${one.name}/${name}`));
  const depth = (folder: Folder) => (folder.path === '' ? 0 : folder.path.split('/').length);
  const note = `Folders inside class folders belong to the class above them: ${some(inner)}. Where they are the classes, import with --classes-at ${depth(content) - depth(part) + classesAt + 1}.`;
  if (!layout.notes.some((one) => one.startsWith('Folders inside'))) layout.notes.push(note);
}

/** Classes deeper down whose names alone are the same are called by their paths. */
function nameApart(classFolders: readonly ClassFolder[], paths: ReadonlyMap<ClassFolder, string>): void {
  const byName = Map.groupBy(classFolders, ({ className }) => className.normalize('NFC'));
  for (const [name, same] of byName) {
    const apart = new Set(same.map((one) => paths.get(one)!.normalize('NFC'))).size > 1;
    for (const one of same) one.className = apart ? paths.get(one)!.normalize('NFC') : name;
  }
}

/** Tables that lie in a folder and may hold the labels of its images. */
export const tables = (folder: Folder): string[] =>
  folder.files.filter(
    (name) =>
      /^\.(csv|tsv|jsonl?|parquet|xlsx?|txt|mat|xml)$/i.test(extname(name)) &&
      /train|test|val|split|label|class|annot|meta|image/i.test(name),
  );

function flat(folders: Folder[], base: Folder): CotuneError {
  const beside = [...new Set([base, ...folders])].flatMap((folder) =>
    tables(folder).map((name) => (folder.path ? `${folder.path}/${name}` : name)),
  );
  const named = some(folders.map(({ path, below }) => `${path}/ (${below})`));
  const table = beside.length > 0 ? ` ${beside[0]} may say it: read it with --format tables or lists.` : '';
  return new CotuneError(
    'bad-input',
    `No class folders: the images lie directly in ${named}, and nothing says what they show.${table}`,
    'Sort the training images into one folder per class inside train/. Where these folders are the classes, import with --no-splits; where the splits are other folders, name them: --train, --val, --test.',
  );
}

const withoutTrain = (root: Folder, names: string[]): CotuneError =>
  new CotuneError(
    'bad-input',
    `${root.name || 'The folder'} has ${names.map((name) => `${name}/`).join(' and ')} but no train/ folder.`,
    'Put the training images into train/, with one folder per class inside.',
  );

/** The first three of a list, and how many more there are. */
export function some(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return names.slice(0, 3).join(', ') + more;
}
