import { comparePairInDetail, compareRuns } from '../../src-shared/comparison.ts';
import type { Comparison } from '../../src-shared/contract.ts';
import { type ComparedRun, sharedImages } from '../../src-shared/paired-images.ts';
import type { Context, Handlers } from './context.ts';
import { inSlices } from './in-slices.ts';
import { findRun } from './lookup.ts';

type Names = 'runs.compare' | 'runs.comparePair' | 'runs.changes';

const nothing = { sampleIds: [], labels: [], predicted: [] };

/** Finished runs against each other. */
export function compareCalls({ store }: Context): Handlers<Names> {
  function* read(id: number): Generator<void, ComparedRun> {
    const run = findRun(store, id);
    const model = run.modelId === null ? undefined : store.models.get(run.modelId);
    return {
      run,
      classNames: store.runs.record(id)!.targetClasses,
      preprocessing: model?.preprocessing ?? null,
      predictions: (yield* store.predictions.read(id, 'test')) ?? nothing,
    };
  }

  function* compare(ids: readonly number[]): Generator<void, Comparison> {
    const runs: ComparedRun[] = [];
    for (const id of new Set(ids)) {
      runs.push(yield* read(id));
      yield;
    }
    return yield* compareRuns(runs);
  }

  return {
    'runs.compare': ({ runs }) => inSlices(compare(runs)),
    'runs.comparePair': async ({ a, b }) =>
      comparePairInDetail(await inSlices(read(a)), await inSlices(read(b))),
    'runs.changes': async ({ a: idA, b: idB, kind, offset, limit }) => {
      const { predictions: a } = await inSlices(read(idA));
      const { predictions: b } = await inSlices(read(idB));
      const { gains, inA, inB } = sharedImages(a, b);
      const wanted = kind === 'fixed' ? 1 : -1;
      const places = [...gains.keys()].filter((k) => gains[k] === wanted);
      const images = places.slice(offset, offset + limit).map((k) => ({
        sample: { ...store.samples.get(b.sampleIds[inB[k]])!, label: b.labels[inB[k]] },
        predictedA: a.predicted[inA[k]],
        predictedB: b.predicted[inB[k]],
      }));
      return { total: places.length, images };
    },
  };
}
