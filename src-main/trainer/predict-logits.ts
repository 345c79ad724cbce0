import type { Preprocessing } from '../../src-shared/domain.ts';
import { openEvaluationBatches } from '../data/batches.ts';
import type { View } from '../data/evaluation.ts';
import type { Arrays, Engine } from '../engine/engine.ts';
import { type HeadChoice, type Network, outputWidth } from '../transfer/network.ts';
import { evaluationProgram } from '../transfer/training-program.ts';
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
}

/**
 * One forward pass in evaluation mode over images in order, with deterministic preprocessing. `weights` holds at least
 * the backbone and the chosen head. `onBatch` is told the number of images done, with the logits of these, and may throw to
 * end the pass.
 * @returns logits, row-major [samples, `outputWidth` of the head].
 */
export async function predictLogits(
  engine: Engine,
  network: Network,
  head: HeadChoice,
  weights: Arrays,
  samples: JobSample[],
  images: ImageOptions,
  onBatch: (done: number, logits: Float32Array) => void | Promise<void> = () => {},
): Promise<Float32Array> {
  const classes = outputWidth(network, head);
  const logits = new Float32Array(samples.length * classes);
  if (samples.length === 0) return logits;
  const views = images.views?.length ?? 1;
  const batch = Math.min(evaluationBatch, samples.length * views);
  const program = evaluationProgram(network, head, batch, images.size);
  const constants = Object.fromEntries(Object.keys(program.state).map((name) => [name, weights[name]]));
  const batches = await openEvaluationBatches({ samples, batch, ...images });
  const executable = await engine.compile(program, { constants, yields: true });
  try {
    let done = 0;
    for await (const { images: pixels, count } of batches) {
      const outputs = await executable.run({ images: pixels });
      if (views === 1) logits.set(outputs.logits.subarray(0, count * classes), done * classes);
      else addViews(outputs.logits as Float32Array, { done, count, views, classes }, logits);
      done += count;
      await onBatch(Math.floor(done / views), logits);
    }
  } finally {
    await executable.dispose();
  }
  return logits;
}

/** Adds the logits of `count` views, `done` of which came before, to the means of their images. */
function addViews(
  ofViews: Float32Array,
  { done, count, views, classes }: { done: number; count: number; views: number; classes: number },
  means: Float32Array,
): void {
  for (let view = 0; view < count; view++) {
    const image = Math.floor((done + view) / views);
    for (let k = 0; k < classes; k++) means[image * classes + k] += ofViews[view * classes + k] / views;
  }
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
