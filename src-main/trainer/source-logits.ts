import type { NetworkFile } from '../backbones/network-file.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { Engine } from '../engine/engine.ts';
import { openContentCache } from '../formats/content-cache.ts';
import { type Network, outputWidth } from '../transfer/network.ts';
import { type Predictor, type SourceOutput, sourceLogitsKey } from './content-keys.ts';
import { type ImageOptions, type PredictedLogits, predictLogits } from './predict-logits.ts';
import type { JobSample } from './protocol.ts';

/** Bytes: two million images of a network with 1,000 classes. */
const cacheLimit = 8 * 2 ** 30;

const cacheIn = (folder: string) => openContentCache(folder, 'source-logits', cacheLimit);

/** Keeps what a network said of images in a pass that was made for something else, row-major [samples, columns]. */
export async function keepOutputs(
  predictor: Predictor,
  samples: readonly JobSample[],
  outputs: Float32Array,
  cacheFolder: string,
  output: SourceOutput,
): Promise<void> {
  const columns = outputs.length / samples.length;
  for (const [row, { hash }] of samples.entries())
    await cacheIn(cacheFolder).write(
      sourceLogitsKey(hash, predictor, output),
      bytesOf(outputs.subarray(row * columns, (row + 1) * columns)),
    );
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/**
 * The pre-trained network's logits, features or both of those images that can be used. Kept on disk image by
 * image, so that the runs of a sweep, whatever their seeds and rates, pass every image once. `onProgress` may throw to end
 * the pass; what was predicted until then stays.
 */
export async function sourceLogits(
  engine: Engine,
  network: Network,
  file: NetworkFile,
  predictor: Omit<Predictor, 'engine'>,
  samples: JobSample[],
  { cacheFolder, unusable }: Pick<ImageOptions, 'cacheFolder' | 'unusable'>,
  onProgress: (done: number) => void,
  output: SourceOutput = 'source',
): Promise<PredictedLogits> {
  const classes = outputWidth(network, output);
  const cache = cacheIn(cacheFolder);
  const keyOf = ({ hash }: JobSample) => sourceLogitsKey(hash, { ...predictor, engine: engine.info }, output);
  const result = new Float32Array(samples.length * classes);
  /** Rows of equal images; the first of them is the one to predict. */
  const missing = new Map<string, number[]>();
  for (const [row, sample] of samples.entries()) {
    const waiting = missing.get(sample.hash);
    const bytes = waiting ? null : cache.read(keyOf(sample));
    if (bytes?.length === classes * 4) {
      result.set(new Float32Array(bytes.buffer, bytes.byteOffset, classes), row * classes);
    } else if (waiting) waiting.push(row);
    else missing.set(sample.hash, [row]);
  }

  let known = samples.length - missing.size;
  onProgress(known);
  if (missing.size === 0) return { samples, logits: result };
  const { preprocessing } = predictor.model;
  const size = predictor.size ?? preprocessing.inputSize;
  const images = { size, preprocessing, cacheFolder, unusable };
  const weights = () => readNetwork(file, file.tensors);
  const left = new Set<number>();
  // Once, but for images that cannot be used and of which there is a copy.
  while (missing.size > 0) {
    const order = Array.from(missing.values(), ([row]) => samples[row]);
    let kept = 0;
    await predictLogits(engine, network, output, weights, order, images, async (done, sofar) => {
      const writes = sofar.samples.slice(kept).map((sample, at) => {
        const values = sofar.logits.subarray((kept + at) * classes, (kept + at + 1) * classes);
        for (const row of missing.get(sample.hash)!) result.set(values, row * classes);
        missing.delete(sample.hash);
        return cache.write(keyOf(sample), bytesOf(values));
      });
      kept = sofar.samples.length;
      await Promise.all(writes);
      onProgress(known + done);
    });
    known = samples.length - missing.size;
    for (const [hash, rows] of missing) {
      left.add(rows.shift()!);
      if (rows.length === 0) missing.delete(hash);
    }
  }
  return withoutRows(samples, result, left);
}

function withoutRows(samples: JobSample[], logits: Float32Array, left: Set<number>): PredictedLogits {
  if (left.size === 0) return { samples, logits };
  const width = logits.length / samples.length;
  const rows = [...samples.keys()].filter((row) => !left.has(row));
  const kept = new Float32Array(rows.length * width);
  for (const [at, row] of rows.entries())
    kept.set(logits.subarray(row * width, (row + 1) * width), at * width);
  return { samples: rows.map((row) => samples[row]), logits: kept };
}
