import type { Preprocessing } from '../../src-shared/domain.ts';
import { openEvaluationBatches } from '../data/batches.ts';
import type { View } from '../data/evaluation.ts';
import type { UnusableImages } from '../data/unusable-images.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { evaluationProgram } from '../transfer/evaluation-program.ts';
import { type HeadChoice, type Network, outputWidth } from '../transfer/network.ts';
import type { JobSample } from './protocol.ts';

/** Images at once in evaluation passes. On a processor twice as many take twice the memory, and no less time an image. */
export const evaluationBatch = 16;

/** How images become input, and where decoded ones are kept. */
export interface ImageOptions {
  /** Side of the square crop in pixels. */
  size: number;
  preprocessing: Preprocessing;
  /** Crops of each image, whose logits are averaged; the center crop alone where left out. */
  views?: readonly View[];
  cacheFolder: string;
  /** What becomes of images that cannot be used; the first ends the work where left out. */
  unusable?: UnusableImages;
}

/** Logits of the images that could be used: row-major [samples, `outputWidth` of the head]. */
export interface PredictedLogits {
  samples: JobSample[];
  logits: Float32Array;
}

/**
 * One forward pass in evaluation mode over images in order, with deterministic preprocessing. `weights` holds at least
 * the backbone and the chosen head; a function makes them for this pass alone, which then holds them once. `onBatch` is told the number of images done, with the logits of those of them that could be
 * used, and may throw to end the pass.
 */
export async function predictLogits(
  engine: Engine,
  network: Network,
  head: HeadChoice,
  weights: Arrays | (() => Arrays),
  samples: JobSample[],
  images: ImageOptions,
  onBatch: (done: number, sofar: PredictedLogits) => void | Promise<void> = () => {},
): Promise<PredictedLogits> {
  const classes = outputWidth(network, head);
  const logits = new Float32Array(samples.length * classes);
  const used: JobSample[] = [];
  if (samples.length === 0) return { samples: used, logits };
  const views = images.views?.length ?? 1;
  const batch = Math.min(evaluationBatch, samples.length * views);
  const program = evaluationProgram(network, head, batch, images.size);
  const consumes = typeof weights === 'function';
  const constants = constantsOf(program, consumes ? weights() : weights);
  const batches = await openEvaluationBatches({ samples, batch, ...images });
  const executable = await engine.compile(program, { constants, consumes, yields: true });
  try {
    let done = 0;
    for await (const { images: pixels, count, unusable } of batches) {
      const outputs = await executable.run({ images: pixels });
      for (let place = 0; place < count; place++, done++) {
        if (unusable.includes(place)) continue;
        // The first view of an image begins its row, the others add to it.
        if (done % views === 0) used.push(samples[done / views]);
        const row = logits.subarray((used.length - 1) * classes, used.length * classes);
        for (let k = 0; k < classes; k++) row[k] += outputs.logits[place * classes + k] / views;
      }
      const whole = Math.floor(done / views);
      await onBatch(whole, { samples: used, logits: logits.subarray(0, used.length * classes) });
    }
  } finally {
    await executable.dispose();
  }
  return { samples: used, logits: logits.subarray(0, used.length * classes) };
}

/** Softmax of each row, in float64: logits [rows, classes] → probabilities float32 [rows, classes]. */
export function softmaxRows(logits: Float32Array, classes: number): Float32Array {
  const result = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const exponentials = Float64Array.from(row, (value) => Math.exp(value - largest));
    const sum = exponentials.reduce((a, b) => a + b, 0);
    for (let k = 0; k < classes; k++) result[start + k] = exponentials[k] / sum;
  }
  return result;
}
