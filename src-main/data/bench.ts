import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openTrainingBatches, type TrainingOptions } from './batches.ts';

export interface DataBench {
  images: number;
  /** Images a second from files to decoded images in an empty cache. */
  cold_images_per_s: number;
  /** Images a second of training batches made from the cache, taken as fast as they come: median of the rounds. */
  warm_images_per_s: number;
  /** The slowest and the fastest round. */
  warm_range: [number, number];
  /** Processor time of one augmented image in milliseconds, reading it from the cache included. */
  cpu_ms_per_image: number;
  /** Share of one core that augmentation takes for every 100 images a second of training. */
  core_share_per_100_images_per_s: number;
}

const rounds = 5;

/**
 * Measures how fast images become training batches: first with an empty cache, a temporary one inside `cacheFolder`,
 * then from it, in five rounds of `steps` batches.
 */
export async function benchData(
  options: Omit<TrainingOptions, 'startStep' | 'seed' | 'onProgress'>,
): Promise<DataBench> {
  const { batch, steps } = options;
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
      onProgress: (done) => {
        images = done;
      },
    });
    const coldSeconds = (performance.now() - coldFrom) / 1000;

    // The first round warms up the threads' compiled code.
    for (let step = 0; step < steps; step++) await batches.next();
    const rates: number[] = [];
    const cpu = process.cpuUsage();
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      for (let step = 0; step < steps; step++) await batches.next();
      rates.push((1000 * steps * batch) / (performance.now() - from));
    }
    const { user, system } = process.cpuUsage(cpu);
    await batches.close();
    rates.sort((a, b) => a - b);
    const cpuMs = (user + system) / 1000 / (rounds * steps * batch);
    return {
      images,
      cold_images_per_s: images / coldSeconds,
      warm_images_per_s: rates[rounds >> 1],
      warm_range: [rates[0], rates[rounds - 1]],
      cpu_ms_per_image: cpuMs,
      core_share_per_100_images_per_s: cpuMs / 10,
    };
  } finally {
    await rm(cacheFolder, { recursive: true, force: true });
  }
}
