import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Arrays } from '../engine/engine.ts';
import type { Batches, OpenedRun, TrainingData } from '../tasks/task.ts';
import type { BatchShape } from '../transfer/step-input.ts';
import { batchAt, bucketsOf } from './length-buckets.ts';
import { padded, type TextPart } from './text-parts.ts';

/**
 * Training batches of texts: of as many parts each, all of about one length, padded to that. `labeled` says what the step is fed besides,
 * and how many rows count.
 */
export function textTraining(
  { job }: OpenedRun,
  parts: readonly TextPart[],
  padding: number,
  labeled: (chosen: readonly TextPart[], shape: BatchShape, step: number) => { fed: Arrays; rows: number },
): TrainingData {
  const { batch, seed } = job.config;
  const counts = parts.map(({ ids }) => ids.length);
  const longest = Math.max(...counts);
  const buckets = bucketsOf(counts, longest, () => batch, batch);
  const shapes = buckets.map(({ length }) => ({ batch, size: length }));
  const batches = buckets.map(({ texts }) => Math.ceil(texts.length / batch));
  const pieces = buckets.reduce((sum, { length }, bucket) => sum + batches[bucket] * length, 0);
  const usual = pieces / batches.reduce((sum, count) => sum + count, 0);
  return {
    prefix: null,
    shapes,
    work: buckets.map(({ length }) => length / usual),
    async openFrom(first): Promise<Batches> {
      let step = first;
      return {
        async next() {
          const { bucket, texts } = batchAt(buckets, seed, step);
          const shape = buckets.indexOf(bucket);
          const chosen = texts.map((text) => parts[text]);
          const { fed, rows } = labeled(chosen, shapes[shape], step++);
          return { shape, fed: { ...padded(chosen, shapes[shape], padding), ...fed }, rows };
        },
        async close() {},
      };
    },
  };
}

/** What a run should say of texts that are longer than the network takes. */
export function lengthNotes({ job, report, begins }: OpenedRun, long: number, whatHappens: string): void {
  if (long === 0 || !begins) return;
  const { sample, samples } = taskNamed(job.task);
  const many = long === 1 ? `1 training ${sample} has` : `${long} training ${samples} have`;
  report({ type: 'note', text: `${many} more than ${job.config.size} pieces: ${whatHappens}.` });
}
