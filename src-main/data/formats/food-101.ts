import type { Split } from '../../../src-shared/domain.ts';
import { jsonMembers } from '../annotations/json-members.ts';
import { ListedImages } from '../annotations/listed-images.ts';
import { textLines } from '../annotations/text-lines.ts';
import { below, folderOf, folderWith } from '../annotations/tree-index.ts';
import type { FileTree } from '../trees/tree.ts';
import type { DatasetFormat } from './format.ts';

const parts: readonly Split[] = ['train', 'test'];

function baseOf(tree: FileTree): { base: string; kind: 'json' | 'txt' } | null {
  for (const kind of ['json', 'txt'] as const) {
    const base = folderWith(tree, [`meta/train.${kind}`, `meta/test.${kind}`]);
    if (base !== null) return { base, kind };
  }
  return null;
}

export const food101: DatasetFormat = {
  name: 'food-101',
  title: 'Food-101',
  help: 'meta/train.json and meta/test.json (or .txt) beside images/ with a folder per class',
  source:
    'Bossard, Guillaumin, Van Gool, «Food-101: Mining Discriminative Components with Random Forests», ECCV 2014; torchvision datasets/food101.py',
  async detect(tree) {
    const found = baseOf(tree);
    return found && { confidence: 0.9, why: `meta/ holds train.${found.kind} and test.${found.kind}.` };
  },
  async *read(tree, options) {
    const { base, kind } = baseOf(tree) ?? { base: '', kind: 'json' };
    options.tell(
      'The training labels of Food-101 hold some noise on purpose: its authors left them uncleaned, and cleaned the test images alone.',
    );
    const listed = new ListedImages(tree, options);
    for (const split of parts) {
      const file = below(base, `meta/${split}.${kind}`);
      const rows = kind === 'json' ? inJson(tree, file) : inText(tree, file);
      for await (const { className, name, at } of rows) {
        const where = { file, at };
        const image = listed.image(below(base, 'images'), name, { className, split, where });
        if (image) yield image;
      }
    }
    listed.finish('meta/', below(base, 'images'));
  },
};

interface Row {
  className: string;
  name: string;
  at: string;
}

/** `{"apple_pie": ["apple_pie/1005649", …], …}` */
async function* inJson(tree: FileTree, file: string): AsyncGenerator<Row> {
  for await (const { key, index, value } of jsonMembers(tree, file))
    yield {
      className: key,
      name: typeof value === 'string' ? value : '',
      at: `${key}, entry ${(index ?? 0) + 1}`,
    };
}

async function* inText(tree: FileTree, file: string): AsyncGenerator<Row> {
  for (const { text, line } of await textLines(tree, file))
    yield { className: folderOf(text), name: text, at: `line ${line}` };
}
