/** A sentence's entities while somebody changes them: which words are selected, and what is made of them. */
import { type Entity, entitiesOf, tagsOf } from '../../src-shared/entities.ts';

export interface SpanEdit {
  readonly words: number;
  readonly entities: readonly Entity[];
  /** The selection reaches from the one to the other, both included, in either direction. */
  readonly anchor: number;
  readonly focus: number;
}

/** Words `start` … `end` − 1. */
type Span = Pick<Entity, 'start' | 'end'>;

/** Begins with the first entity, or the first word. */
export function beginSpanEdit(tags: readonly string[]): SpanEdit {
  const entities = entitiesOf(tags);
  return select({ words: tags.length, entities, anchor: 0, focus: 0 }, entities[0]?.start ?? 0);
}

export const tagsOfEdit = ({ entities, words }: SpanEdit): string[] => tagsOf(entities, words);

export const selection = ({ anchor, focus }: SpanEdit): Span => ({
  start: Math.min(anchor, focus),
  end: Math.max(anchor, focus) + 1,
});

/** Selects a word, or the whole entity that it is in. */
export function select(edit: SpanEdit, word: number): SpanEdit {
  const at = within(edit, word);
  const entity = edit.entities.find(({ start, end }) => start <= at && at < end);
  return { ...edit, anchor: entity?.start ?? at, focus: entity ? entity.end - 1 : at };
}

/** Selects what comes before or behind the selection. */
export function step(edit: SpanEdit, by: 1 | -1): SpanEdit {
  const { start, end } = selection(edit);
  return select(edit, by > 0 ? end : start - 1);
}

/** Selects from one word to another, whatever entities are there. */
export const selectBetween = (edit: SpanEdit, anchor: number, focus: number): SpanEdit => ({
  ...edit,
  anchor: within(edit, anchor),
  focus: within(edit, focus),
});

/** Makes the selected words an entity, or none; entities that share a word with it go. */
export function give(edit: SpanEdit, type: string | null): SpanEdit {
  const span = selection(edit);
  const others = edit.entities.filter(({ start, end }) => end <= span.start || start >= span.end);
  const entities = type === null ? others : [...others, { ...span, type }];
  return { ...edit, entities: entities.sort((a, b) => a.start - b.start) };
}

/** Puts the entities of other tags in place of all that are there. */
export const take = (edit: SpanEdit, tags: readonly string[]): SpanEdit => ({
  ...edit,
  entities: entitiesOf(tags),
});

const within = ({ words }: SpanEdit, word: number): number => Math.max(0, Math.min(words - 1, word));
