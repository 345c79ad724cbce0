import { expect, test } from 'vitest';
import {
  beginSpanEdit,
  give,
  type SpanEdit,
  select,
  selectBetween,
  selection,
  step,
  tagsOfEdit,
  take,
} from '../../src-renderer/text/span-edit.ts';

// New York is far from Ada .
const tags = ['B-LOC', 'I-LOC', 'O', 'O', 'O', 'B-PER', 'O'];
const edit = beginSpanEdit(tags);
const between = (one: SpanEdit) => Object.values(selection(one));

test('steps go from word to word, over an entity as a whole, and stay in the sentence', () => {
  expect(between(edit)).toEqual([0, 2]);
  expect(between(step(edit, 1))).toEqual([2, 3]);
  expect(between(step(step(edit, 1), -1))).toEqual([0, 2]);
  expect(between(step(edit, -1))).toEqual([0, 2]);
  expect(between(step(select(edit, 6), 1))).toEqual([6, 7]);
});

test('what is selected gets a type, and entities that share a word with it go', () => {
  expect(tagsOfEdit(give(selectBetween(edit, 1, 2), 'ORG')).slice(0, 4)).toEqual([
    'O',
    'B-ORG',
    'I-ORG',
    'O',
  ]);
  expect(tagsOfEdit(give(selectBetween(edit, 3, 2), 'ORG')).slice(0, 5)).toEqual([
    ...['B-LOC', 'I-LOC', 'B-ORG', 'I-ORG', 'O'],
  ]);
  expect(tagsOfEdit(give(edit, null)).slice(0, 2)).toEqual(['O', 'O']);
  expect(tagsOfEdit(give(edit, 'ORG')).slice(0, 2)).toEqual(['B-ORG', 'I-ORG']);
  expect(
    tagsOfEdit(
      take(
        edit,
        tags.map(() => 'O'),
      ),
    ),
  ).toEqual(tags.map(() => 'O'));
});

test('a sentence without an entity, and of one word, can be changed', () => {
  const one = step(beginSpanEdit(['O']), 1);
  expect(tagsOfEdit(give(one, 'PER'))).toEqual(['B-PER']);
});
