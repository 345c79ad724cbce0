import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { evaluationImage } from '../data/evaluation-image.ts';
import { writeOverlay } from '../data/overlay.ts';
import type { KeptEngine } from './kept-engine.ts';
import { keptView } from './open-view.ts';
import type { ActivationMap, ExplainJob, FromTrainer, MeanMap } from './protocol.ts';

/** Maps of where a network looks in images, one by one, so that an unreadable one costs no other its map; or their mean. */
export async function explain(
  job: ExplainJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
  engines: KeptEngine,
): Promise<void> {
  const { cacheFolder, size, images } = job;
  const engine = await engines.open({ engine: job.engine, precision: 'full', cacheFolder });
  const view = await keptView(engine, job);
  const mean = openMean();
  for (const [at, { overlay, ...image }] of images.entries()) {
    const { path } = image;
    signal.throwIfAborted();
    try {
      const source = { ...image, hash: image.hash ?? (await hashOf(path)) };
      const seen = await evaluationImage(source, size, view.preprocessing, cacheFolder);
      const map = { ...(await view.look(seen.pixels, job.label)), region: seen.region };
      if (overlay) await writeOverlay(source, map, overlay);
      if (job.mean) mean.add(map);
      else report({ type: 'explained', path, map, error: null });
    } catch (error) {
      if (!job.mean) report({ type: 'explained', path, map: null, error: toErrorValue(error) });
    }
    report({ type: 'progress', phase: 'evaluate', done: at + 1, total: images.length });
  }
  if (job.mean) report({ type: 'mean-map', map: mean.value(), images: mean.count() });
}

/** The mean of maps of one network, place by place of what it sees. */
function openMean() {
  let count = 0;
  let sum: MeanMap | null = null;
  return {
    add({ how, rows, columns, values }: ActivationMap): void {
      sum ??= { how, rows, columns, values: new Float64Array(values.length) };
      for (let i = 0; i < values.length; i++) sum.values[i] += values[i];
      count++;
    },
    count: () => count,
    value: (): MeanMap | null => sum && { ...sum, values: sum.values.map((value) => value / count) },
  };
}

async function hashOf(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new CotuneError('not-found', `${path} cannot be read: ${error.message}.`, 'Check the path.');
  });
  return createHash('sha256').update(bytes).digest('hex');
}
