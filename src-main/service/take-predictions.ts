import { join } from 'node:path';
import type { Split } from '../../src-shared/domain.ts';
import { predictionColumns } from '../../src-shared/prediction-columns.ts';
import { createRows, type RowsFile, syncRows, writeRows } from '../formats/npy-rows.ts';
import type { PredictionBlock, ProbabilityFile } from '../store/predictions.ts';
import type { Store } from '../store/store.ts';
import type { Predictions, TaggedPredictions } from '../trainer/protocol.ts';

export interface PredictedRun {
  id: number;
  /** Where its files go. */
  folder: string;
  labelOf: (sample: number) => number;
  /** A path as the store keeps it. */
  toStored: (path: string) => string;
}

/**
 * Takes in a run's predictions as they come, in blocks: distributions go into a file for each split, the rest into rows. A block
 * keeps the service for some milliseconds; nobody sees any of a split before the transaction of its last one.
 */
export function takePredictions(store: Store, run: PredictedRun) {
  const files: RowsFile[] = [];
  /** The split whose predictions are coming in. */
  let coming = 0;

  /** Keeps rows of a split; the last ones make it whole. */
  function add(split: Split, file: ProbabilityFile, block: PredictionBlock): void {
    if (block.first === 0) coming = store.predictions.begin(run.id, split, file);
    store.predictions.add(coming, block);
    if (block.first + block.sampleIds.length === file.rows) store.predictions.finish(coming);
  }

  return {
    /** `write` makes one transaction. Errors: `bad-input` where a number is no probability, `unavailable` where the disk is full. */
    take(
      { split, first, total, sampleIds, probabilities }: Predictions,
      write: (work: () => void) => void,
    ): void {
      const labels = Int32Array.from(sampleIds, run.labelOf);
      const columns = probabilities.length / sampleIds.length;
      const found = predictionColumns(probabilities, labels, columns);
      const file = { path: join(run.folder, `${split}.probabilities.npy`), rows: total, columns };
      if (first === 0) {
        createRows(file);
        files.push(file);
      }
      writeRows(file, first, probabilities);
      const stored = { ...file, path: run.toStored(file.path) };
      write(() => add(split, stored, { ...found, first, sampleIds, labels }));
    },
    /** The same of texts with tags, whose distributions are not kept. */
    takeTagged(
      { split, first, total, sampleIds, tags, gold, errors, confidence, loss, doubts }: TaggedPredictions,
      write: (work: () => void) => void,
    ): void {
      const block = {
        ...{ first, sampleIds, tags, gold, doubts, confidence, loss },
        // As if the right number of errors, none, were the class.
        labels: new Int32Array(sampleIds.length),
        predicted: errors,
        rank: errors.map((count) => count + 1),
        squaredError: new Float64Array(sampleIds.length),
        top: { labels: new Int32Array(), probabilities: new Float32Array() },
      };
      write(() => add(split, { path: '', rows: total, columns: 0 }, block));
    },
    /** Resolves when the files are on the disk for good; the service does other work meanwhile. */
    async settle(): Promise<void> {
      await Promise.all(files.map(syncRows));
    },
  };
}
