import type { RunTiming } from '../../src-shared/domain.ts';

const parts = ['data_s', 'waited_s', 'relationship_s', 'train_s', 'evaluate_s'] as const;
type Part = (typeof parts)[number];

/** Seconds spent by part; `waited_s` is the part of `train_s` spent waiting for images. */
export type Timing = Record<Part | 'total_s', number>;

/** Measures where a run's time goes, on top of what an interrupted part of it took `before`. */
export function stopwatch(before: Timing | null) {
  const started = performance.now();
  const spent = before
    ? { ...before }
    : { data_s: 0, waited_s: 0, relationship_s: 0, train_s: 0, evaluate_s: 0, total_s: 0 };
  const timing = (): Timing => ({ ...spent, total_s: spent.total_s + (performance.now() - started) / 1000 });
  return {
    async time<T>(part: Part, work: () => Promise<T>): Promise<T> {
      const from = performance.now();
      try {
        return await work();
      } finally {
        spent[part] += (performance.now() - from) / 1000;
      }
    },
    timing,
    /** The run's own record, for so many images trained on. */
    summary(images: number): RunTiming {
      const { data_s, waited_s, relationship_s, train_s, evaluate_s, total_s } = timing();
      return {
        total_s,
        data_s: data_s + waited_s,
        relationship_s,
        train_s,
        evaluate_s,
        images_per_s: train_s > 0 ? images / train_s : 0,
        data_wait_share: train_s > 0 ? waited_s / train_s : 0,
      };
    },
  };
}
