import type { Split } from '../../../src-shared/domain.ts';

const splitWords: ReadonlyMap<string, Split> = new Map([
  ...['train', 'training', 'trainval'].map((word) => [word, 'train'] as const),
  ...['val', 'valid', 'validation', 'dev'].map((word) => [word, 'val'] as const),
  ...['test', 'testing', 'eval', 'evaluation'].map((word) => [word, 'test'] as const),
]);
/** Words that say nothing about which folders belong together. */
const plainWords = new Set(
  'set sets data dataset images image img imgs pictures photos files folder dir split new original raw'.split(
    ' ',
  ),
);
/** A word with one of those attached: `trainset`, `testdata`. */
const attached = /^(\w+?)(sets?|data|images?|imgs?|dir|folder|split)$/;
const noLabelWords =
  /^(unknown|unlabell?ed|unlabel|unsup|unsupervised|unclassified|unsorted|nolabels?|pred|predict|predictions?|infer|inference|submission)$/;
/** Names of folders that only hold files together, where they are the only one. */
const containers =
  /^(images?|imgs?|pictures?|pics?|photos?|jpe?gs?|pngs?|data|dataset|files?|all|all_?images|raw|none|0|x)$/;

const wordsOf = (name: string): string[] =>
  name
    .normalize('NFKC')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[-._ 0-9]+/u)
    .filter((word) => word !== '');

/** What a folder's name says about a split. */
export interface SplitName {
  split: Split;
  /** The name's other words: those of folders that belong together are the same, as in `seg_train`, `seg_test`. */
  rest: string;
}

/**
 * The split that a folder is named after: one of the words that Hugging Face's imagefolder knows (train, training;
 * val, valid, validation, dev; test, testing, eval, evaluation), in any case, alone or separated from other words by
 * `-`, `.`, `_`, a space or digits. Null for a name without one, or with several.
 */
export function splitNameOf(name: string): SplitName | null {
  const found = new Set<Split>();
  const rest: string[] = [];
  for (const word of wordsOf(name)) {
    const split = splitWords.get(word) ?? splitWords.get(attached.exec(word)?.[1] ?? '');
    if (split) found.add(split);
    else if (!plainWords.has(word)) rest.push(word);
  }
  const [split] = found;
  return found.size === 1 ? { split, rest: rest.join(' ') } : null;
}

/** The other words of a folder named after images without a label (`seg_pred`, `unknown`), or null. */
export function noLabelNameOf(name: string): string | null {
  const words = wordsOf(name);
  if (!words.some((word) => noLabelWords.test(word))) return null;
  return words.filter((word) => !noLabelWords.test(word) && !plainWords.has(word)).join(' ');
}

/** Whether a folder's name only says that it holds images. */
export const isContainerName = (name: string): boolean =>
  containers.test(name.normalize('NFKC').toLowerCase());
