import { z } from 'zod';
import { passes } from '../passes.ts';
import { placesByClass } from '../places-by-class.ts';
import type { Sampling } from '../sampling.ts';

/**
 * Draws go round the classes, every round in a new order, and take from each class the next of its pictures, in an order that
 * is new for every pass over the class: after any whole number of rounds each class was drawn equally often. (Drawn with
 * replacement, as by torch's WeightedRandomSampler, it would be so in the mean only.)
 */
export const classBalanced: Sampling = {
  name: 'class-balanced',
  title: 'Class-balanced',
  help: 'every class equally often, however many pictures it has: those of small classes come again sooner',
  formula: 'draw i: class π_r(i mod K) of round r = ⌊i / K⌋, its picture number r in passes of its own',
  source:
    'Shen, Lin, Huang, «Relay Backpropagation for Effective Learning of Deep Convolutional Neural Networks», ECCV 2016, section 3.2 (class-aware sampling)',
  when: 'classes of unequal size whose errors matter alike; rare pictures are soon known by heart, overall accuracy may fall',
  options: z.strictObject({}),
  excludes: { 'class-weights': 'both make up for classes of unequal size, and together twice.' },
  order(labels, batch, seed) {
    const classes = byClass(labels);
    const roundOf = passes(classes.length, seed, 'class-order');
    const pictureOf = classes.map((places, index) => {
      const passOf = passes(places.length, seed, 'class-pictures', index);
      return (nth: number) => places[passOf(Math.floor(nth / places.length))[nth % places.length]];
    });
    return (step) =>
      Int32Array.from({ length: batch }, (_, position) => {
        const drawn = step * batch + position;
        const round = Math.floor(drawn / classes.length);
        return pictureOf[roundOf(round)[drawn % classes.length]](round);
      });
  },
  note(labels, draws) {
    const sizes = byClass(labels).map((places) => places.length);
    const each = draws / sizes.length;
    const times = (size: number) => Number((each / size).toPrecision(3));
    const [most, least] = [Math.max(...sizes), Math.min(...sizes)];
    if (most === least) return null;
    return `Each class is drawn equally often, ${Math.round(each)} times: a picture of the smallest class (${least} of them) is seen ${times(least)} times, one of the largest (${most}) ${times(most)} times. An epoch counts as many draws as there are training images.`;
  },
};

const byClass = (labels: ArrayLike<number>): number[][] => placesByClass(labels, Array.from(labels).keys());
