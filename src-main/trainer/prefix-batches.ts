import { ofImages } from '../../src-shared/run-settings.ts';
import { openEvaluationBatches, samplesAt, type TrainingBatches } from '../data/batches.ts';
import { samplings } from '../data/samplings/index.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import type { Network } from '../transfer/network.ts';
import { chosenFrom } from '../transfer/part.ts';
import type { FrozenPrefix } from '../transfer/step-plan.ts';
import { tappedProgram } from '../transfer/tapped-program.ts';
import { evaluationBatch } from './predict-logits.ts';
import type { JobModel, TrainJob } from './protocol.ts';

/** Bytes of memory that what is made of the images may take: the same on every machine, so that a run is resumed as it began. */
const memoryLimit = 2 * 2 ** 30;

/** Training batches of what frozen stages make of pictures. */
export interface PrefixBatches {
  prefix: FrozenPrefix;
  /** From a first step on. `images` of its batches are what the stages made of them. */
  openFrom(step: number): TrainingBatches;
}

/**
 * Runs the first stages of the network once over every training image, as evaluation sees it, and keeps what they make in
 * memory; null where that would be too large.
 */
export async function prefixBatches(
  engine: Engine,
  network: Network,
  stage: number,
  weights: Arrays,
  {
    config,
    model,
    samples: { train: samples },
    cacheFolder,
  }: Pick<TrainJob, 'config' | 'samples' | 'cacheFolder'> & { model: JobModel },
  unusable: UnusableImages,
  onProgress: (done: number, total: number) => void,
): Promise<PrefixBatches | null> {
  const { size, seed } = config;
  const batch = Math.min(evaluationBatch, samples.length);
  let shape: number[] = [];
  const end = network.backbone.taps[stage];
  const program = tappedProgram(network, [end], { batch, size }, (_, [, ...ofImage]) => {
    shape = ofImage;
  });
  const constants = constantsOf(program, weights);
  const { preprocessing } = model;
  const pictures = await openEvaluationBatches({
    samples,
    batch,
    size,
    preprocessing,
    cacheFolder,
    unusable,
  });
  const executable = await engine.compile(program, { constants, yields: true });
  let values = new Float32Array();
  let done = 0;
  try {
    for await (const { images, count } of pictures) {
      const { [end]: value } = await executable.run({ images });
      const each = value.length / batch;
      if (done === 0) {
        if (4 * each * samples.length > memoryLimit) return null;
        values = new Float32Array(each * samples.length);
      }
      values.set(value.subarray(0, count * each) as Float32Array, done * each);
      done += count;
      onProgress(done, samples.length);
    }
  } finally {
    await executable.dispose();
  }
  const each = values.length / samples.length;
  const rows = new Map(samples.map(({ path }, row) => [path, row]));
  const labels = samples.map(({ label }) => label);
  const indicesAt = chosenFrom(samplings, ofImages(config).sampling).part.order(labels, config.batch, seed);
  return {
    prefix: { stage, shape },
    openFrom(first) {
      let step = first;
      return {
        waitedMs: 0,
        async next() {
          const chosen = samplesAt(step, indicesAt(step), { samples, unusable, seed });
          step++;
          const images = new Float32Array(chosen.length * each);
          for (const [place, { path }] of chosen.entries()) {
            const row = rows.get(path)!;
            images.set(values.subarray(row * each, (row + 1) * each), place * each);
          }
          return { images, labels: Int32Array.from(chosen, ({ label }) => label) };
        },
        async close() {},
      };
    },
  };
}
