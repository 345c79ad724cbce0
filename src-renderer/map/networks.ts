/** Networks by whose features images are placed and likened, as the location names them: `run:12`, `model:NAME`. */
import type { Dataset, Model, Run } from '../../src-shared/domain.ts';
import { methodTitle } from '../method-title.ts';

/** Finished runs on a dataset, then models. */
export const networksFor = (
  dataset: Dataset,
  runs: readonly Run[],
  models: readonly Model[],
): { value: string; title: string }[] => [
  ...runs
    .filter((run) => run.status === 'finished' && run.datasetId === dataset.id)
    .map((run) => ({
      value: `run:${run.id}`,
      title: `Run #${run.id}: ${methodTitle(run.config.method)}, seed ${run.config.seed}`,
    })),
  ...models.map(({ name }) => ({ value: `model:${name}`, title: name })),
];

export function networkNamed(value: string): { run: number } | { model: string } {
  const name = value.slice(value.indexOf(':') + 1);
  return value.startsWith('run:') ? { run: Number(name) } : { model: name };
}
