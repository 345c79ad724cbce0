import { extname } from 'node:path';
import type { ImportLayout } from '../../../src-shared/contract.ts';
import type { SampleIssue } from '../../../src-shared/domain.ts';
import { CotuneError } from '../../../src-shared/errors.ts';
import { type Folder, foldersOf, isImage, rootFolder } from '../folder.ts';
import type { DatasetFormat } from './format.ts';
import { type Layout, layoutOf, some, tables } from './layout.ts';

const otherImageExtensions =
  /^\.(heic|heif|avif|jxl|jp2|svg|psd|ai|eps|pdf|ico|tga|exr|hdr|dng|cr[23]|nef|arw|orf|rw2|raf|raw)$/i;

/**
 * Labels by the names of folders alone: `train/ val/ test/` each with one folder per class, or one folder per class at the top
 * (`layoutOf` says what else is understood). Folders inside a class folder belong to that class.
 */
export const folders: DatasetFormat = {
  name: 'folders',
  title: 'Folders',
  help: 'train/, val/ and test/ with one folder per class each, or one folder per class',
  source: 'torchvision.datasets.ImageFolder; Hugging Face imagefolder without metadata',
  detect: async () => ({
    confidence: 0.1,
    why: 'Nothing beside the images says what they show: their folders do.',
  }),
  async *read(tree, { tell, issue, unlabelled, layout: choice }) {
    const root = rootFolder(tree);
    const layout = layoutOf({ ...root, name: tree.folder }, choice);
    for (const note of layout.notes) tell(note);
    const others: string[] = [];
    const left: SampleIssue[] = [];
    const leaveOut = (path: string, detail: string) => left.push({ kind: 'unsupported', path, detail });
    for (const folder of layout.above) {
      for (const name of folder.files) {
        const path = join(folder, name);
        if (isImage(name)) leaveOut(path, 'it lies outside any class folder');
        else others.push(path);
      }
    }
    let images = 0;
    for (const { folder, className, split } of layout.classFolders) {
      for (const inner of foldersOf(folder)) {
        for (const name of inner.files) {
          const path = join(inner, name);
          const extension = extname(name);
          if (isImage(name)) {
            images++;
            yield { path, className, split };
          } else if (otherImageExtensions.test(extension)) {
            leaveOut(
              path,
              `${extension.slice(1).toUpperCase()} files are not read; convert it to JPEG or PNG`,
            );
          } else others.push(path);
        }
      }
    }
    if (images === 0)
      throw nothingFound(tree.folder, root, layout, choice, [...tree.issues, ...left], others);
    for (const one of left) issue(one);
    for (const note of remarks(layout, others)) tell(note);
    for (const { path, below } of layout.unlabelled) unlabelled({ path, images: below });
  },
};

const join = (folder: Folder, name: string): string => (folder.path ? `${folder.path}/${name}` : name);

/** What was left out, or may be taken for something else than was meant. */
function remarks(layout: Layout, others: readonly string[]): string[] {
  const notes: string[] = [];
  const parents = layout.above.filter((folder) => folder !== layout.base);
  const empty = parents.flatMap(({ folders }) => folders).filter(({ below }) => below === 0);
  if (empty.length > 0) {
    const [has, are] =
      empty.length === 1
        ? ['A folder without an image', 'is no class']
        : ['Folders without an image', 'are no classes'];
    notes.push(`${has} ${are}: ${some(empty.map(({ path }) => path))}.`);
  }
  const hidden = new Set(
    layout.classFolders.filter(({ folder }) => folder.hidden).map(({ className }) => className),
  );
  for (const name of hidden) {
    notes.push(
      `The folder ${name} is hidden by the dot in its name; it holds images and was taken as a class.`,
    );
  }
  const { length } = others;
  if (length > 0) {
    const what =
      length === 1 ? '1 file is no image by its name' : `${length} files are no images by their names`;
    notes.push(`${what} and left out: ${some(others)}.`);
  }
  const asked = layout.above.flatMap((folder) => tables(folder).map((name) => join(folder, name)));
  if (asked.length > 0 && layout.classFolders.every(({ split }) => split === null)) {
    notes.push(
      `Labels and splits come from folders alone; what ${some(asked)} says about them was not read.`,
    );
  }
  return notes;
}

function nothingFound(
  top: string,
  root: Folder,
  layout: Layout,
  { classesAt }: ImportLayout,
  issues: readonly SampleIssue[],
  others: readonly string[],
): CotuneError {
  const folders = root.folders.map(({ name }) => name);
  const found = [
    `${folders.length} folders${folders.length > 0 ? ` (${some(folders)})` : ''}`,
    `${root.below} images outside class folders`,
    `${others.length} other files`,
    ...(issues.length > 0 ? [`${issues[0].path}: ${issues[0].detail}`] : []),
  ];
  return new CotuneError(
    'bad-input',
    `${top} has no images in class folders; found ${found.join(', ')}.`,
    classesAt !== undefined
      ? `Classes were looked for ${classesAt} levels down; leave --classes-at out, or give another level.`
      : layout.classFolders.some(({ split }) => split !== null)
        ? 'Expected one folder per class inside train/, with JPEG, PNG, WebP, GIF, BMP or TIFF images.'
        : 'Expected one folder per class with JPEG, PNG, WebP, GIF, BMP or TIFF images, or train/, val/ and test/ holding such folders.',
  );
}
