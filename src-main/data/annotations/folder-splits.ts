import type { Split } from '../../../src-shared/domain.ts';
import { splitNameOf } from '../formats/split-names.ts';
import type { FileTree } from '../trees/tree.ts';
import { baseName, folderOf, indexOf } from './tree-index.ts';

/** The split that a folder is named after, without other words. */
const plainSplit = (name: string): Split | null => {
  const found = splitNameOf(name);
  return found?.rest === '' ? found.split : null;
};

/**
 * What the folders of a tree say about splits: the nearest to the top that is named after one, if another split's folder
 * lies beside it (a class may be called «train»).
 */
export function folderSplits(tree: FileTree): (folder: string) => Split | null {
  const { folders } = indexOf(tree);
  const known = new Map<string, Split | null>([['', null]]);
  const splitOf = (folder: string): Split | null => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const above = folderOf(folder);
    const own = plainSplit(baseName(folder));
    const beside = folders.get(above)?.folders ?? [];
    const others = beside.map(plainSplit).filter((one) => one !== null && one !== own);
    const split = splitOf(above) ?? (others.length > 0 ? own : null);
    known.set(folder, split);
    return split;
  };
  return splitOf;
}
