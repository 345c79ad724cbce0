import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { softmaxRows } from '../engine/softmax-rows.ts';
import { openContentCache } from '../formats/content-cache.ts';
import { taskOf } from '../tasks/index.ts';
import { scoresWithIntervals } from '../transfer/ranking/bootstrap.ts';
import { rankingScores } from '../transfer/ranking/index.ts';
import { rankingKey } from './content-keys.ts';
import type { FromTrainer, RankJob } from './protocol.ts';

const cacheLimit = 2 ** 24;

/** Scores how well a pre-trained network suits labelled samples, from one forward pass; kept by what they follow from. */
export async function rank(
  job: RankJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, samples, cacheFolder, classNames } = job;
  const engine = await openEngine(job.engine, { cacheFolder });
  const task = taskOf(job.task);
  const { network, file } = task.openSource(model, classNames);
  const precision = 'full' as const;
  const names = rankingScores.map(({ name }) => name);
  const key = rankingKey({ model, precision, engine: engine.info }, samples, names);
  const unusable = leaveOut(samples);
  const cache = openContentCache(cacheFolder, 'rankings', cacheLimit);
  const make = async () => {
    const looked = { model, precision, classNames, cacheFolder, unusable };
    const { train } = await task.outputs(
      { engine, network, file },
      { ...looked, samples: { train: samples, val: [], test: [] } },
      'source-and-features',
      report,
      signal,
    );
    const { data: rows, rows: count, columns: width } = train.outputs;
    const part = (from: number, to: number) => {
      const data = new Float64Array(count * (to - from));
      for (let i = 0; i < count; i++)
        data.set(rows.subarray(i * width + from, i * width + to), i * (to - from));
      return { data, rows: count, columns: to - from };
    };
    const scores = scoresWithIntervals(rankingScores, {
      probabilities: await softmaxRows(part(0, network.sourceClasses), 1),
      features: part(network.sourceClasses, width),
      labels: train.labels,
      targets: classNames.length,
    });
    return new TextEncoder().encode(JSON.stringify(scores.filter(({ value }) => Number.isFinite(value))));
  };
  // The key names every sample.
  const scores = await cache.getOrMake(key, make, () => unusable.notes().length === 0);
  await engine.dispose();
  report({
    type: 'ranking',
    scores: JSON.parse(new TextDecoder().decode(scores)),
    notes: unusable.notes(),
  });
}
