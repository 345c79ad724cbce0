import { posix } from 'node:path';
import { csvLine, csvRows } from '../../src-shared/csv.ts';
import { type Dataset, Edit } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { NewEdit } from '../store/edits.ts';
import type { ImportedSample } from '../store/samples.ts';

const columns = ['action', 'target', 'before', 'after', 'hash', 'finding', 'other', 'who', 'at'] as const;

/** Edits as a table, the oldest first. */
export const editsTable = (edits: readonly Edit[]): string =>
  [csvLine(columns), ...edits.map((edit) => csvLine(columns.map((name) => edit[name] ?? '')))].join('');

const Row = Edit.pick({
  action: true,
  target: true,
  before: true,
  after: true,
  hash: true,
  finding: true,
  other: true,
  who: true,
});

/** Edits of a table, in its order. Errors: `bad-input`, naming the line. */
export function editsFromTable(text: string, file: string): NewEdit[] {
  const [head, ...rows] = csvRows(text);
  const missing = columns.filter((name) => name !== 'at' && !head?.includes(name));
  if (!head || missing.length > 0)
    throw new CotuneError(
      'bad-input',
      `${file} is no table of edits: it has no column ${missing.join(', ')}.`,
      'Export one to see what it looks like: cotune dataset export-edits NAME FILE.csv',
    );
  return rows.map((cells, index) => {
    const values = Object.fromEntries(head.map((name, place) => [name, cells[place] || null]));
    const row = Row.safeParse(values);
    const problem = row.success ? whyWrong(row.data) : row.error.issues[0].message;
    if (!row.success || problem !== null)
      throw new CotuneError('bad-input', `${file}, edit ${index + 1}: ${problem}.`, 'Mend that line.');
    return row.data;
  });
}

function whyWrong({ action, hash, after, finding }: NewEdit): string | null {
  const ofImage = action === 'exclude' || action === 'relabel' || action === 'move';
  if (ofImage && hash === null) return 'an edit of an image needs its hash';
  if ((action === 'merge' || action === 'rename') && hash !== null) return 'an edit of a class has no hash';
  if (action === 'keep') return finding === null ? 'what is kept is not said: the finding is missing' : null;
  if (action === 'move' && !['train', 'val', 'test'].includes(after ?? ''))
    return `“${after ?? ''}” is no split`;
  return action !== 'exclude' && !after ? 'it does not say what becomes of it' : null;
}

/**
 * A shell script that a person may run to make the same changes to a folder of class folders: what is excluded goes into a folder
 * of its own, the rest to the folder of its class and split.
 */
export function editsScript(dataset: Dataset, samples: readonly ImportedSample[]): string {
  const moves = samples.flatMap(({ path, now, label, split, locator }) => {
    // A piece of an archive is moved by nobody.
    if (locator !== null) return [];
    const from = { className: dataset.importedClasses[label], split };
    const to = now.excluded
      ? posix.join('excluded', path)
      : pathIn(path, from, { className: dataset.classes[now.label], split: now.split });
    return to === path ? [] : [`move ${quoted(path)} ${quoted(to)}`];
  });
  return `#!/bin/sh
# The edits of the dataset ${JSON.stringify(dataset.name)} as moves of its files: ${moves.length}. Nothing is deleted or replaced.
# Run it once, in a copy if in doubt:  sh THIS-FILE FOLDER
set -eu
cd -- "\${1:?name the folder of the images}"
move() {
  if [ -e "$2" ]; then echo "left alone, $2 is there already: $1" >&2; return; fi
  mkdir -p -- "$(dirname -- "$2")"
  mv -- "$1" "$2"
}
${moves.join('\n')}
`;
}

interface Place {
  className: string;
  split: string;
}

/** Where a file belongs that changes its class or split: the folders of its path that are named so give way. */
function pathIn(path: string, from: Place, to: Place): string {
  const parts = path.split('/');
  const name = parts.pop()!;
  const classAt = parts.lastIndexOf(from.className);
  if (to.className !== from.className) {
    if (classAt >= 0) parts[classAt] = to.className;
    else parts.push(to.className);
  }
  if (to.split !== from.split) {
    const splitAt = parts.findIndex((part, at) => part.toLowerCase() === from.split && at !== classAt);
    if (splitAt >= 0) parts[splitAt] = to.split;
    else parts.unshift(to.split);
  }
  return posix.join(...parts, name);
}

/** A word of a shell, whatever is in it; a name that begins with a dash is no option. */
const quoted = (text: string): string => `'${`./${text}`.replaceAll("'", "'\\''")}'`;
