import type { Dataset, Run } from './domain.ts';

/** What became of a run's dataset since it began, in words; null where it is the same. */
export function datasetSince(run: Run, dataset: Dataset | undefined): string | null {
  if (!dataset || run.datasetId !== dataset.id) return 'deleted since';
  if (run.datasetHash === dataset.hash) return null;
  return run.editsHash === dataset.editsHash ? 'imported again since, with other files' : 'edited since';
}
