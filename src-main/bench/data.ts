import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataBench } from '../../src-shared/bench.ts';
import { spreadOf } from '../../src-shared/spread.ts';
import { openTrainingBatches, type TrainingOptions } from '../data/batches.ts';

const rounds = 5;

/**
 * Measures how fast images become training batches: first with an empty cache, a temporary one inside `cacheFolder`,
 * then from it, in five rounds of `steps` batches. `onProgress` is told images decoded, then batches made, and may throw
 * to end it.
 */
export async function benchData(
  options: Omit<TrainingOptions, 'startStep' | 'seed' | 'onProgress'>,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<Omit<DataBench, 'bench' | 'dataset'>> {
  const { size, batch, steps } = options;
  const cacheFolder = await mkdtemp(join(options.cacheFolder, 'bench-'));
  try {
    let images = 0;
    const coldFrom = performance.now();
    const batches = await openTrainingBatches({
      ...options,
      seed: 0,
      startStep: 0,
      steps: (rounds + 1) * steps,
      cacheFolder,
      onProgress: (done, total) => {
        images = done;
        onProgress(done, total);
      },
    });
    const coldSeconds = (performance.now() - coldFrom) / 1000;

    /** Seconds of one round. */
    async function round(index: number): Promise<number> {
      const from = performance.now();
      for (let step = 0; step < steps; step++) {
        await batches.next();
        onProgress(index * steps + step + 1, (rounds + 1) * steps);
      }
      return (performance.now() - from) / 1000;
    }
    const rates: number[] = [];
    let cpuMs = 0;
    try {
      // The first round warms up the threads' compiled code.
      await round(0);
      const cpu = process.cpuUsage();
      for (let index = 1; index <= rounds; index++) rates.push((steps * batch) / (await round(index)));
      const { user, system } = process.cpuUsage(cpu);
      cpuMs = (user + system) / 1000 / (rounds * steps * batch);
    } finally {
      await batches.close();
    }
    return {
      size,
      batch,
      steps,
      rounds,
      images,
      cold_images_per_s: images / coldSeconds,
      warm_images_per_s: spreadOf(rates),
      cpu_ms_per_image: cpuMs,
      core_share_per_100_images_per_s: cpuMs / 10,
    };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true, maxRetries: 5 });
  }
}
