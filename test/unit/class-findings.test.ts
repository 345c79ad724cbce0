import { expect, test } from 'vitest';
import { classFindings } from '../../src-main/data/class-findings.ts';

const found = (of: Record<string, [number, number, number]>) => {
  const classCounts = Object.values(of).map(([train, val, test]) => ({ train, val, test }));
  const sum = (split: 'train' | 'val' | 'test') =>
    classCounts.reduce((total, counts) => total + counts[split], 0);
  const counts = { train: sum('train'), val: sum('val'), test: sum('test') };
  return classFindings({ classes: Object.keys(of), classCounts, counts, task: 'image-classification' }).map(
    ({ kind, path, other }) => [kind, path, other],
  );
};

test('classes whose names differ only by case, accents, blanks or dashes are named', () => {
  const even: [number, number, number] = [5, 0, 2];
  expect(
    found({
      'Red fox': even,
      red_fox: even,
      'RED-FOX': even,
      fox: even,
      café: even,
      'cafe\u0301': even,
      Café: even,
      日本: even,
    }),
  ).toEqual([
    ['class-spelling', 'red_fox', 'Red fox'],
    ['class-spelling', 'RED-FOX', 'Red fox'],
    ['class-spelling', 'cafe\u0301', 'café'],
    ['class-spelling', 'Café', 'café'],
  ]);
});

test('a class missing from a split that there is, and one that outweighs another, are named', () => {
  expect(found({ a: [50, 0, 3], b: [0, 0, 3], c: [5, 0, 0] })).toEqual([
    ['class-missing', 'b', undefined],
    ['class-missing', 'c', undefined],
    ['imbalance', 'c', 'a'],
  ]);
  expect(found({ a: [49, 0, 3], b: [5, 0, 3] })).toEqual([]);
});

test('of texts whose words are tagged, types of entities take the place of classes', () => {
  const classCounts = [
    { train: 0, val: 0, test: 2 },
    { train: 4, val: 0, test: 1 },
  ];
  const [{ kind, detail }] = classFindings({
    ...{ classes: ['MISC', 'PER'], classCounts, counts: { train: 4, val: 0, test: 3 } },
    task: 'token-classification',
  });
  expect([kind, detail]).toEqual([
    'class-missing',
    'it has no training entity: nothing can be learned about it',
  ]);
});
