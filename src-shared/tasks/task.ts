import type { SplitMetrics } from '../domain.ts';
import type { TaskName } from '../names.ts';

/** What every side knows of a task: what is learned of which samples. The half that trains is in `src-main/tasks`. */
export interface TaskDescription {
  name: TaskName;
  title: string;
  /** What a sample is called, and several. */
  sample: string;
  samples: string;
  /** What its networks take. */
  takes: 'images' | 'texts';
  /** What the dataset's classes are: of samples, or of entities in them. */
  classesOf: 'samples' | 'entities';
  /** What one of them is called in a sentence, and one and several by themselves. */
  category: string;
  categories: readonly [one: string, several: string];
  /** Fewest classes that there is something to tell apart in. */
  leastClasses: number;
  /** Names of the new head's outputs, given the dataset's classes. */
  outputs(classes: readonly string[]): string[];
  /** The one number that a network is judged and chosen by, 0 to 1: the more, the better. */
  score: {
    title: string;
    of(metrics: SplitMetrics): number;
    /** Name of the curve that it makes on validation samples. */
    curve: string;
  };
  /** The test that tells two networks' scores on the same samples apart. */
  pairedTest: string;
}
