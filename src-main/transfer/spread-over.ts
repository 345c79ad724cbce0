import { placesByClass } from '../data/places-by-class.ts';
import { permutation, randomOf } from '../data/random.ts';

/**
 * Places of `count` training images, or of all, to prepare with: the classes take turns, each with its images in an order of their
 * own. It follows from the labels alone.
 */
export function spreadOver(labels: readonly number[], count: number): number[] {
  const classes = placesByClass(labels, permutation(labels.length, randomOf(0, 'images to prepare with')));
  const rounds = Math.max(...classes.map((places) => places.length));
  return Array.from({ length: rounds }, (_, round) => classes.flatMap((places) => places[round] ?? []))
    .flat()
    .slice(0, count);
}
