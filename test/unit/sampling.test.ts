import { expect, test } from 'vitest';
import { samplings } from '../../src-main/data/samplings/index.ts';

const find = (wanted: string) => samplings.find(({ name }) => name === wanted)!;

/** Places of all batches up to `steps`. */
const draws = (name: string, labels: number[], batch: number, steps: number, seed = 3) => {
  const order = find(name).order(labels, batch, seed);
  return Array.from({ length: steps }, (_, step) => [...order(step)]).flat();
};

// Class 1 has no picture, as a class may at a low rate.
const labels = [...new Array(50).fill(0), 2, 2, 2, ...new Array(7).fill(3)];

test('`class-balanced` draws every class equally often over any whole number of rounds', () => {
  const classes = draws('class-balanced', labels, 6, 50).map((place) => labels[place]);
  for (let first = 0; first < classes.length; first += 3)
    expect(classes.slice(first, first + 3).toSorted()).toEqual([0, 2, 3]);
  // Each round in an order of its own: 3! orders, 100 rounds.
  const rounds = new Set(Array.from({ length: 100 }, (_, r) => classes.slice(3 * r, 3 * r + 3).join()));
  expect(rounds.size).toBe(6);
});

test('`class-balanced` shows all pictures of a class before one comes again', () => {
  const places = draws('class-balanced', labels, 6, 50);
  for (const [label, size] of [
    [0, 50],
    [2, 3],
    [3, 7],
  ]) {
    const own = places.filter((place) => labels[place] === label);
    for (let first = 0; first + size <= own.length; first += size)
      expect(new Set(own.slice(first, first + size)).size).toBe(size);
  }
});

test.each(samplings.map(({ name }) => name))('batches of %s follow from seed and step alone', (name) => {
  const inOrder = draws(name, labels, 6, 40);
  const order = find(name).order(labels, 6, 3);
  for (const step of [39, 7, 0, 23]) expect([...order(step)]).toEqual(inOrder.slice(step * 6, step * 6 + 6));
  expect(draws(name, labels, 6, 40, 4)).not.toEqual(inOrder);
});

test('`class-balanced` says how often pictures of small and large classes are seen', () => {
  const note = find('class-balanced').note!;
  expect(note(labels, 300)).toMatch(
    /100 times.*smallest class \(3 of them\) is seen 33\.3 times.*\(50\) 2 times/,
  );
  expect(note([0, 0, 1, 1], 300)).toBeNull();
});
