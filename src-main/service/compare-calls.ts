import { comparePairInDetail, compareRuns, type Naming } from '../../src-shared/comparison.ts';
import type { Comparison } from '../../src-shared/contract.ts';
import { type ComparedRun, sharedImages } from '../../src-shared/paired-images.ts';
import { entityCounts, type TaggedSentence } from '../../src-shared/tagged-evaluation.ts';
import { taskNamed } from '../../src-shared/tasks/index.ts';
import type { Store } from '../store/store.ts';
import type { Context, Handlers } from './context.ts';
import { inSlices } from './in-slices.ts';
import { loadCatalog } from './load-catalog.ts';
import { findRun } from './lookup.ts';

type Names = 'runs.compare' | 'runs.comparePair' | 'runs.changes';

const nothing = { sampleIds: [], labels: [], predicted: [] };

function* readRun(store: Store, id: number): Generator<void, ComparedRun> {
  const run = findRun(store, id);
  const model = run.modelId === null ? undefined : store.models.get(run.modelId);
  const predictions = (yield* store.predictions.read(id, 'test')) ?? nothing;
  const isTagged = taskNamed(run.task).classesOf === 'entities';
  const tagged = isTagged ? store.predictions.tagged(id, 'test') : undefined;
  return {
    run,
    classNames: store.runs.record(id)!.targetClasses,
    preprocessing: model?.preprocessing ?? null,
    predictions: { ...predictions, ...(tagged && { tagged, entities: tagged.map(entityCounts) }) },
  };
}

const judged = ({ gold, predicted }: TaggedSentence) => ({ gold: [...gold], predicted: [...predicted] });

function* compare(store: Store, ids: readonly number[], naming: Naming): Generator<void, Comparison> {
  const runs: ComparedRun[] = [];
  for (const id of new Set(ids)) {
    runs.push(yield* readRun(store, id));
    yield;
  }
  return yield* compareRuns(runs, naming);
}

/** Finished runs against each other, between other work. */
export const compareStored = (store: Store, ids: readonly number[], naming: Naming): Promise<Comparison> =>
  inSlices(compare(store, ids, naming));

export function compareCalls({ store }: Context): Handlers<Names> {
  const read = (id: number) => inSlices(readRun(store, id));
  return {
    'runs.compare': async ({ runs }) => compareStored(store, runs, { catalog: await loadCatalog() }),
    'runs.comparePair': async ({ a, b }) =>
      comparePairInDetail(await read(a), await read(b), await loadCatalog()),
    'runs.changes': async ({ a: idA, b: idB, kind, offset, limit }) => {
      const { predictions: a } = await read(idA);
      const { predictions: b } = await read(idB);
      const { gains, inA, inB } = sharedImages(a, b);
      const wanted = kind === 'fixed' ? 1 : -1;
      const places = [...gains.keys()].filter((k) => gains[k] === wanted);
      const images = places.slice(offset, offset + limit).map((k) => {
        const sample = { ...store.samples.get(b.sampleIds[inB[k]])!, label: b.labels[inB[k]] };
        const predicted = { predictedA: a.predicted[inA[k]], predictedB: b.predicted[inB[k]] };
        if (!a.tagged || !b.tagged) return { sample, ...predicted };
        const [tagsA, tagsB] = [judged(a.tagged[inA[k]]), judged(b.tagged[inB[k]])];
        const text = { ...sample.text!, tags: tagsB.gold };
        return { sample: { ...sample, text }, ...predicted, tagsA, tagsB };
      });
      return { total: places.length, images };
    },
  };
}
