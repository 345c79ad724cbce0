import { createHash } from 'node:crypto';
import type { Edit, Split, TextContent } from '../../src-shared/domain.ts';
import { entityType } from '../../src-shared/entities.ts';
import { readTags, splitTagLine } from '../../src-shared/tag-line.ts';
import type { TaskDescription } from '../../src-shared/tasks/task.ts';

/** A sample as it was imported; `label` is a place in the imported classes, or −1 where it has none of its own. */
export interface ImportedImage {
  id: number;
  path: string;
  hash: string;
  label: number;
  split: Split;
  /** There where it is a text whose words have tags. */
  text?: Pick<TextContent, 'tags'>;
}

/** What an edit changes; the rest of it says who made it, when and why. */
export type EditAction = Pick<Edit, 'id' | 'action' | 'target' | 'hash' | 'after'>;

export interface EditedImage {
  id: number;
  /** Place in the edited classes; −1 where the image is excluded and the last of its class. */
  label: number;
  split: Split;
  excluded: boolean;
  /** A tag for each word, in IOB2; null where the sample has a class. */
  tags: readonly string[] | null;
}

export interface EditedDataset {
  /**
   * Those that have an image, as they were ordered; classes that edits made come last. Types of entities are no classes of samples: one
   * stays as long as any sentence has it, be it left out or not.
   */
  classes: string[];
  /** In the order of the imported ones. */
  images: EditedImage[];
  /** Why an edit changes nothing, by its id. */
  problems: Map<number, string>;
  /** SHA-256 over the edits that change something, in their order; null without any. */
  hash: string | null;
}

/** A class has its name and its samples, until it is merged into another one. */
interface Class {
  name: string;
  into: Class | null;
}

/** What an imported dataset is after a list of edits, each of which sees what those before it left. */
export function applyEdits(
  classes: readonly string[],
  imported: readonly ImportedImage[],
  edits: readonly EditAction[],
  { sample, category }: Pick<TaskDescription, 'sample' | 'category'>,
): EditedDataset {
  const all = classes.map((name): Class => ({ name, into: null }));
  const images = imported.map(({ id, split, label, text }) => ({
    id,
    split,
    excluded: false,
    of: label < 0 ? null : all[label],
    tags: (text?.tags ?? null) as readonly string[] | null,
  }));
  const targets = new Set(edits.filter(({ hash }) => hash !== null).map(({ target }) => target));
  const places = new Map<string, number>();
  for (const [place, { path }] of imported.entries()) if (targets.has(path)) places.set(path, place);

  const named = (name: string) => all.find((one) => one.into === null && one.name === name);
  const classNamed = (name: string): Class => {
    const known = named(name);
    if (known) return known;
    const made: Class = { name, into: null };
    all.push(made);
    return made;
  };

  const problems = new Map<number, string>();
  const hash = createHash('sha256');
  let applied = 0;
  for (const { id, action, target, hash: content, after } of edits) {
    const problem = apply();
    if (problem !== null) problems.set(id, problem);
    else if (action !== 'keep') {
      applied++;
      hash.update(`${JSON.stringify([action, target, content, after])}\n`);
    }

    function apply(): string | null {
      if (content !== null) {
        const place = places.get(target);
        if (place === undefined) return `the ${sample} is no longer there`;
        if (imported[place].hash !== content) return `another ${sample} is there now`;
        const image = images[place];
        if (action === 'exclude') image.excluded = true;
        else if (action === 'relabel' && image.tags) {
          const read = readTags(splitTagLine(after!), image.tags.length);
          if ('problem' in read) return read.problem;
          image.tags = read.tags;
          for (const type of typesIn(read.tags)) classNamed(type);
        } else if (action === 'relabel') image.of = classNamed(after!);
        else if (action === 'move') image.split = after as Split;
        return null;
      }
      if (action === 'keep') return null;
      const one = named(target);
      if (!one) return `there is no ${category} ${target} any more`;
      const other = named(after!);
      if (action === 'rename') {
        if (other && other !== one) return `there is a ${category} ${after} already`;
        one.name = after!;
      } else {
        if (!other) return `there is no ${category} ${after} any more`;
        if (other !== one) one.into = other;
      }
      for (const image of images) if (image.tags) image.tags = retyped(image.tags, target, after!);
      return null;
    }
  }

  const types = new Set(images.flatMap(({ tags }) => typesIn(tags ?? [])));
  const used = new Set([
    ...[...types].map(classNamed),
    ...images.flatMap(({ excluded, of }) => (excluded || of === null ? [] : [finalClass(of)])),
  ]);
  const left = all.filter((one) => used.has(one));
  const labels = new Map(left.map((one, label) => [one, label]));
  return {
    classes: left.map(({ name }) => name),
    images: images.map(({ id, split, excluded, of, tags }) => ({
      id,
      split,
      excluded,
      tags,
      label: (of && labels.get(finalClass(of))) ?? -1,
    })),
    problems,
    hash: applied > 0 ? hash.digest('hex') : null,
  };
}

/** Types of the entities that begin in tags. */
const typesIn = (tags: readonly string[]): string[] =>
  tags.filter((tag) => tag.startsWith('B-')).map((tag) => entityType(tag)!);

/** Tags in which entities of one type are of another; the same ones where there is none. */
const retyped = (tags: readonly string[], from: string, to: string): readonly string[] =>
  tags.some((tag) => entityType(tag) === from)
    ? tags.map((tag) => (entityType(tag) === from ? `${tag[0]}-${to}` : tag))
    : tags;

function finalClass(of: Class): Class {
  let one = of;
  while (one.into) one = one.into;
  return one;
}
