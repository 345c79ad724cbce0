import { byIndex, type NamedLine, UnreadableClasses } from './form.ts';

/** Keys under which documents of other programs keep their class names, e.g. Hugging Face's config.json. */
const wrappers = [
  'id2label',
  'label_names',
  'class_names',
  'classNames',
  'classes',
  'names',
  'labels',
  'categories',
  'idx_to_class',
  'class_to_idx',
  'label2id',
];

/**
 * Names in the order of the head's outputs from a parsed document: a list, an object from index to name or from name to
 * index, or a larger object that holds one of these. Throws `UnreadableClasses`.
 */
export const namesIn = (document: unknown): NamedLine[] =>
  namesOf(document, 0).map((name) => ({ name, line: null }));

function namesOf(value: unknown, depth: number): string[] {
  if (Array.isArray(value)) return value.map((entry, index) => nameOf(entry, index));
  if (typeof value !== 'object' || value === null)
    throw new UnreadableClasses('it is neither a list nor an object of names');
  const wrapper =
    depth === 0 && wrappers.find((key) => typeof (value as Record<string, unknown>)[key] === 'object');
  if (wrapper) return namesOf((value as Record<string, unknown>)[wrapper], 1);
  const entries = Object.entries(value);
  if (entries.length === 0) throw new UnreadableClasses('its object is empty');
  const ordered = (pairs: [number, string][]): string[] =>
    byIndex(pairs.map(([index, name]) => ({ index, named: { name, line: null } satisfies NamedLine }))).map(
      ({ name }) => name,
    );
  if (entries.every(([key]) => /^\d+$/.test(key)))
    return ordered(entries.map(([key, name]) => [Number(key), nameOf(name, key)]));
  if (entries.every(([, index]) => Number.isInteger(index)))
    return ordered(entries.map(([name, index]) => [index as number, name]));
  throw new UnreadableClasses('its object has neither indices from 0 as keys nor indices as values');
}

/** A name: text, Keras' [synset, name], or an object with a name. */
function nameOf(value: unknown, index: number | string): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) {
    const last = value.at(-1);
    if (typeof last === 'string' && value.length <= 2) return last;
  }
  if (typeof value === 'object' && value !== null) {
    const named = value as Record<string, unknown>;
    const name = named.name ?? named.label ?? named.class_name;
    if (typeof name === 'string') return name;
  }
  throw new UnreadableClasses(`entry ${index} holds no name`);
}
