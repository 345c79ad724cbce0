import { leaveOut } from '../data/unusable-images.ts';
import { openEngine } from '../engine/open.ts';
import { openContentCache } from '../formats/content-cache.ts';
import { scoresWithIntervals } from '../transfer/ranking/bootstrap.ts';
import { rankingScores } from '../transfer/ranking/index.ts';
import { softmaxRows } from '../transfer/softmax.ts';
import { rankingKey } from './content-keys.ts';
import { evaluatedOutputs } from './evaluated-outputs.ts';
import { openSource } from './open-source.ts';
import type { FromTrainer, RankJob } from './protocol.ts';

const cacheLimit = 2 ** 24;

/** Scores how well a pre-trained network suits labelled images, from one forward pass; kept by what they follow from. */
export async function rank(
  job: RankJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<void> {
  const { model, samples, cacheFolder, targetClasses } = job;
  const engine = await openEngine(job.engine, { cacheFolder });
  const { network, file } = openSource(model, targetClasses);
  const predictor = { model, precision: 'full' as const };
  const names = rankingScores.map(({ name }) => name);
  const key = rankingKey({ ...predictor, engine: engine.info }, samples, names);
  const unusable = leaveOut(samples);
  const cache = openContentCache(cacheFolder, 'rankings', cacheLimit);
  const make = async () => {
    const { samples: used, logits: rows } = await evaluatedOutputs(
      { engine, network, file },
      predictor,
      { samples, cacheFolder, unusable },
      network.sourceClasses > 0 ? 'source-and-features' : 'features',
      report,
      signal,
    );
    const width = rows.length / used.length;
    const part = (from: number, to: number) => {
      const data = new Float64Array(used.length * (to - from));
      for (let i = 0; i < used.length; i++)
        data.set(rows.subarray(i * width + from, i * width + to), i * (to - from));
      return { data, rows: used.length, columns: to - from };
    };
    const scores = scoresWithIntervals(rankingScores, {
      probabilities: softmaxRows(part(0, network.sourceClasses), 1),
      features: part(network.sourceClasses, width),
      labels: Int32Array.from(used, (sample) => sample.label),
      targets: targetClasses,
    });
    return new TextEncoder().encode(JSON.stringify(scores.filter(({ value }) => Number.isFinite(value))));
  };
  // The key names every image.
  const scores = await cache.getOrMake(key, make, () => unusable.notes().length === 0);
  await engine.dispose();
  report({
    type: 'ranking',
    scores: JSON.parse(new TextDecoder().decode(scores)),
    notes: unusable.notes(),
  });
}
