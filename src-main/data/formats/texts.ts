import { extname, posix } from 'node:path';
import type { Split, TextContent } from '../../../src-shared/domain.ts';
import { entitiesOf, tagsOf } from '../../../src-shared/entities.ts';
import { whyNoTags } from '../../../src-shared/tag-line.ts';
import { decodeText, UndecodableText } from '../../formats/decode-text.ts';
import type { TextFormat, TextSample } from '../../text/formats/format.ts';
import { labeledTextFormats } from '../../text/formats/index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat, FormatOptions, FoundImage } from './format.ts';
import { splitNameOf } from './split-names.ts';

/** Where files of texts are looked for, by how their names end, and how large they may be. */
const extensions =
  /^(|\.(txt|csv|tsv|json|jsonl|ndjson|conll|bio|iob|label|data|train|dev|valid|testa|testb|test))$/;
const mostBytes = 256 * 2 ** 20;
/** Levels of folders that they are looked for in, and how many are looked at to tell a format. */
const deepest = 2;
const lookedAt = 20;
/** Lines by which a file is told. */
const headLines = 200;
/** Lines of a file that are named as not being like the others. */
const namedLines = 100;

/** A dataset whose samples are the texts of files of one kind, a file for each split. */
export const textFiles = (format: TextFormat): DatasetFormat => ({
  name: format.name,
  title: format.title,
  help: `${format.help}; the split is the file’s: train, dev or test in its name`,
  source: format.source,
  async detect(tree) {
    for await (const found of filesOf(tree, format, lookedAt))
      return { confidence: 0.7, why: `${found} has ${format.help}.` };
    return null;
  },
  async *read(tree, options) {
    const files: string[] = [];
    for await (const path of filesOf(tree, format)) files.push(path);
    await tellLeftOut(tree, files, format, options);
    const splits = files.map((path) => splitOf(path, format));
    if (splits.some((split) => split !== null) && splits.includes(null))
      options.tell(
        `No split is named by ${files.filter((_, at) => splits[at] === null).join(', ')}: taken for training.`,
      );
    const isSplit = splits.some((split) => split !== null);
    for (const [at, path] of files.entries())
      yield* textsIn(
        path,
        format,
        await textOf(tree, path),
        splits[at] ?? (isSplit ? 'train' : null),
        options,
      );
  },
});

/** A folder of text files for each class. */
export const textFolders: DatasetFormat = {
  name: 'text-folders',
  title: 'A folder of text files for each class',
  help: 'CLASS/NAME.txt, or train/CLASS/NAME.txt and test/CLASS/NAME.txt',
  source: 'scikit-learn, load_files; Maas et al., «Learning Word Vectors for Sentiment Analysis», ACL 2011',
  async detect(tree) {
    const texts = [...tree.files.keys()].filter(isText);
    const classes = new Set(texts.map((path) => path.split('/').at(-2)));
    // A lone text in a folder is a README of something else.
    return classes.size > 1 && texts.length > 2 * classes.size && 2 * texts.length > tree.files.size
      ? { confidence: 0.5, why: `${texts.length} text files lie in ${classes.size} folders.` }
      : null;
  },
  async *read(tree, options) {
    for (const path of tree.files.keys()) {
      if (!isText(path)) continue;
      const [className, ...outer] = path.split('/').slice(0, -1).reverse();
      const split = outer.map((name) => splitNameOf(name)?.split ?? null).find((one) => one !== null) ?? null;
      const text = await textOrIssue(tree, path, options);
      if (text !== null)
        yield { path, className, split, text: { text: text.trim(), words: null, tags: null } };
    }
  },
};

const isText = (path: string): boolean => /\.txt$/i.test(path) && path.includes('/');

/** Files whose content is of a format, and has something to learn; of at most so many. */
async function* filesOf(
  tree: FileTree,
  format: TextFormat,
  most = Number.POSITIVE_INFINITY,
): AsyncGenerator<string> {
  for (const path of candidatesOf(tree).slice(0, most))
    if ((await formatsOf(tree, path)).has(format)) yield path;
}

const candidatesOf = (tree: FileTree): string[] =>
  tree.named === null ? [...tree.files.keys()].filter(mayBeTexts(tree)) : [tree.named];

/** Names the files that were looked at and are not read: what holds other things, and what is no text. */
async function tellLeftOut(
  tree: FileTree,
  read: readonly string[],
  { title }: TextFormat,
  options: FormatOptions,
): Promise<void> {
  const others: string[] = [];
  for (const path of candidatesOf(tree).filter((one) => !read.includes(one)))
    if ((await textOrIssue(tree, path, options)) !== null) others.push(path);
  if (others.length > 0) options.tell(`Not read, being other than “${title}”: ${others.join(', ')}.`);
}

/** A file's text; null of one that is none, which is named. */
async function textOrIssue(tree: FileTree, path: string, options: FormatOptions): Promise<string | null> {
  try {
    return await textOf(tree, path);
  } catch (error) {
    if (!(error instanceof UndecodableText)) throw error;
    const at = error.line === null ? '' : `, in line ${error.line}`;
    options.issue({ kind: 'broken', path, detail: `it cannot be read as a text: ${error.message}${at}` });
    return null;
  }
}

const mayBeTexts =
  ({ files }: FileTree) =>
  (path: string): boolean =>
    extensions.test(extname(path).toLowerCase()) &&
    path.split('/').length <= deepest &&
    !/^(readme|license|licence)\b/i.test(posix.basename(path)) &&
    files.get(path)!.bytes <= mostBytes;

/** Which formats files are of: every format asks, and each file is looked at once. */
const told = new WeakMap<FileTree, Map<string, Set<TextFormat>>>();

async function formatsOf(tree: FileTree, path: string): Promise<Set<TextFormat>> {
  const known = told.get(tree) ?? new Map<string, Set<TextFormat>>();
  told.set(tree, known);
  const found = known.get(path) ?? (await formatsIn(tree, path));
  known.set(path, found);
  return found;
}

async function formatsIn(tree: FileTree, path: string): Promise<Set<TextFormat>> {
  const head = await headOf(tree, path);
  return new Set(head === null ? [] : labeledTextFormats.filter((format) => isOf(format, head, path)));
}

function isOf(format: TextFormat, head: string, path: string): boolean {
  const extension = extname(path).toLowerCase();
  try {
    if (!format.is(head, extension)) return false;
    const { samples } = format.read(head, extension);
    return samples.some(({ label, tags }) => label !== null || tags !== null);
  } catch {
    // A table whose first line ends inside a quoted cell, for one: what cannot be read is not of the format.
    return false;
  }
}

/** The first lines of a file, whole; null where it is no text. */
async function headOf(tree: FileTree, path: string): Promise<string | null> {
  try {
    const lines = (await textOf(tree, path)).split(/(?<=\n)/, headLines);
    return lines.join('');
  } catch {
    // A file that cannot be read as text is of no format of texts.
    return null;
  }
}

/** The file that was read last: a dataset of one file is told and read by it. */
const last = new WeakMap<FileTree, { path: string; text: string }>();

async function textOf(tree: FileTree, path: string): Promise<string> {
  const known = last.get(tree);
  if (known?.path === path) return known.text;
  const { text } = decodeText(await tree.read(path), { controls: true });
  last.set(tree, { path, text });
  return text;
}

const splitOf = (path: string, { splitOf: known }: TextFormat): Split | null =>
  known?.(posix.basename(path)) ?? splitNameOf(posix.basename(path))?.split ?? null;

function* textsIn(
  path: string,
  format: TextFormat,
  content: string,
  split: Split | null,
  options: FormatOptions,
): Generator<FoundImage> {
  const { samples, facts, odd } = format.read(content, extname(path).toLowerCase());
  if (facts) options.tell(`${path}: ${facts}.`);
  // So many digits that the order of the names is that of the lines.
  const digits = String(samples.at(-1)?.line ?? 1).length;
  const nameOf = (line: number) => `${path}:${String(line).padStart(digits, '0')}`;
  const bad = (line: number, detail: string) =>
    options.issue({ kind: 'bad-row', path: nameOf(line), detail });
  for (const line of odd.slice(0, namedLines)) bad(line, 'the line is not as the others');
  if (odd.length > namedLines)
    options.tell(`${path}: ${odd.length} lines are not as the others; the first ${namedLines} are listed.`);
  for (const sample of samples) {
    const reason = whyUnusable(sample);
    if (reason) bad(sample.line, reason);
    else yield { path: nameOf(sample.line), className: sample.label ?? '', split, text: contentOf(sample) };
  }
}

function whyUnusable({ label, tags }: TextSample): string | null {
  if (tags) return whyNoTags(tags);
  return label === null || label.trim() === '' ? 'it has neither a label nor tags' : null;
}

/** Every scheme of tags as IOB2, which says where one entity ends and the next one of its type begins. */
const contentOf = ({ text, words, tags }: TextSample): TextContent => ({
  text,
  words,
  tags: tags && tagsOf(entitiesOf(tags), tags.length),
});
