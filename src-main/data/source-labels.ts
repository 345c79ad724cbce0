/** Folders of images named after a network's source classes. */
import { CotuneError } from '../../src-shared/errors.ts';
import { some } from './formats/layout.ts';

export interface SourceLabels {
  /** Source class by folder name. */
  labels: Map<string, number>;
  /** What was matched and how, and what was left out. */
  notes: string[];
}

/**
 * Which source class each folder name means: all of them numbers of classes (from 0); all WordNet numbers (`n01440764`), as
 * many as there are classes, whose order is then that of the classes; else names, compared without regard to case and to
 * `_`, `-` and spaces, a class also by any one of its names between commas that no other class has.
 * Errors: `bad-input` where not two classes are found.
 */
export function matchSourceClasses(
  folders: readonly string[],
  sourceClasses: readonly string[],
): SourceLabels {
  const { by, labels } = byNumber(folders, sourceClasses) ?? byName(folders, sourceClasses);
  const missing = folders.filter((folder) => !labels.has(folder));
  if (new Set(labels.values()).size < 2) {
    throw new CotuneError(
      'bad-input',
      `Of the ${folders.length} folders (${some(folders)}) ${labels.size} are named after one of the ${sourceClasses.length} source classes (${some(sourceClasses)}).`,
      'Name each folder after its source class, or by its number from 0.',
    );
  }
  const notes = [`${labels.size} of ${folders.length} folders were matched to source classes by ${by}.`];
  if (missing.length > 0) notes.push(`No source class was found for ${some(missing)}: left out.`);
  return { labels, notes };
}

interface Match {
  by: string;
  labels: Map<string, number>;
}

function byNumber(folders: readonly string[], sourceClasses: readonly string[]): Match | null {
  if (folders.every((folder) => /^\d+$/.test(folder) && Number(folder) < sourceClasses.length))
    return { by: 'number', labels: new Map(folders.map((folder) => [folder, Number(folder)])) };
  if (folders.length === sourceClasses.length && folders.every((folder) => /^n\d{8}$/.test(folder))) {
    const order = folders.toSorted().map((folder, label): [string, number] => [folder, label]);
    return { by: 'the order of WordNet numbers', labels: new Map(order) };
  }
  return null;
}

function byName(folders: readonly string[], sourceClasses: readonly string[]): Match {
  const whole = new Map<string, number>();
  const parts = new Map<string, Set<number>>();
  for (const [label, name] of sourceClasses.entries()) {
    whole.set(plain(name), label);
    for (const part of name.split(','))
      parts.set(plain(part), (parts.get(plain(part)) ?? new Set()).add(label));
  }
  const labels = new Map<string, number>();
  for (const folder of folders) {
    const name = plain(folder);
    const candidates = parts.get(name);
    const label = whole.get(name) ?? (candidates?.size === 1 ? [...candidates][0] : undefined);
    if (label !== undefined) labels.set(folder, label);
  }
  return { by: 'name', labels };
}

const plain = (name: string): string =>
  name
    .normalize('NFC')
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .trim();
