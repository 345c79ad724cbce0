import { expect, test } from 'vitest';
import { matchSourceClasses } from '../../src-main/data/source-labels.ts';

const sources = [
  'tench, Tinca tinca',
  'crane',
  'great white shark, white shark',
  'crane, lifting device',
  'Tench_bird',
];
const matched = (folders: string[]) => Object.fromEntries(matchSourceClasses(folders, sources).labels);

test('folders are matched by whole names or by one that no other class has, however it is written', () => {
  expect(matched(['tinca tinca', 'Great-White_Shark', 'tench  bird'])).toEqual({
    'tinca tinca': 0,
    'Great-White_Shark': 2,
    'tench  bird': 4,
  });
  expect(matched(['tench, tinca tinca', 'white_shark', 'crane'])).toEqual({
    'tench, tinca tinca': 0,
    white_shark: 2,
    crane: 1,
  });
});

test('a name of two classes is no match, and what is left out is said', () => {
  const twice = ['bank, river', 'bank, money', 'tree'];
  const { labels, notes } = matchSourceClasses(['bank', 'tree', 'river'], twice);
  expect([...labels]).toEqual([
    ['tree', 2],
    ['river', 0],
  ]);
  expect(notes).toEqual([
    '2 of 3 folders were matched to source classes by name.',
    'No source class was found for bank: left out.',
  ]);
});

test('numbers are those of the classes, and all WordNet numbers stand in the order of the classes', () => {
  expect(matched(['0', '04', '3'])).toEqual({ '0': 0, '04': 4, '3': 3 });
  const synsets = ['n00000003', 'n00000001', 'n00000002', 'n00000005', 'n00000004'];
  expect(matched(synsets)).toEqual({ n00000001: 0, n00000002: 1, n00000003: 2, n00000004: 3, n00000005: 4 });
});

test.each([[['5', '6']], [['n00000003', 'n00000001']], [['cat', 'dog', 'crane']]])(
  'folders %j of fewer than two source classes are refused with both lists',
  (folders) => {
    expect(() => matchSourceClasses(folders, sources)).toThrow(/folders \(.*source classes \(tench/);
  },
);
