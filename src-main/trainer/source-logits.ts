import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { NetworkFile } from '../backbones/network-file.ts';
import { readNetwork } from '../backbones/network-file.ts';
import type { Engine } from '../engine/engine.ts';
import { readSafetensorsHeader, readTensors, writeSafetensors } from '../formats/safetensors.ts';
import type { Network } from '../transfer/network.ts';
import { predictLogits } from './predict-logits.ts';
import type { JobModel, JobSample } from './protocol.ts';

/**
 * The pre-trained network's logits of images at its own input size, row-major [samples, sources]. Kept on disk by what
 * they follow from (weights, preprocessing, engine; then each image's content), so that the runs of a sweep, whatever
 * their seeds and rates, pass every image once.
 */
export async function sourceLogits(
  engine: Engine,
  network: Network,
  file: NetworkFile,
  model: JobModel,
  samples: JobSample[],
  cacheFolder: string,
  onProgress: (done: number) => void,
): Promise<Float32Array> {
  const { hash, architecture, padding, batchNormEpsilon, preprocessing } = model;
  const inputs = { hash, architecture, padding, batchNormEpsilon, preprocessing, engine: engine.info };
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex');
  const folder = join(cacheFolder, 'source-logits', key);
  const known = readFolder(folder, network.sourceClasses);

  const missing = [...new Map(samples.map((sample) => [sample.hash, sample])).values()].filter(
    (sample) => !known.has(sample.hash),
  );
  if (missing.length > 0) {
    const images = { size: preprocessing.inputSize, preprocessing, cacheFolder };
    const weights = readNetwork(file, file.tensors);
    const logits = await predictLogits(engine, network, 'source', weights, missing, images, (done) =>
      onProgress(samples.length - missing.length + done),
    );
    writeBlock(folder, missing, logits, network.sourceClasses);
    for (const [index, { hash: image }] of missing.entries())
      known.set(image, rowOf(logits, index, network.sourceClasses));
  }
  onProgress(samples.length);
  const result = new Float32Array(samples.length * network.sourceClasses);
  for (const [index, sample] of samples.entries())
    result.set(known.get(sample.hash)!, index * network.sourceClasses);
  return result;
}

const rowOf = (matrix: Float32Array, row: number, columns: number): Float32Array =>
  matrix.subarray(row * columns, (row + 1) * columns);

/** One file per pass: `logits` [images, sources], the images' hashes in the metadata. */
function writeBlock(folder: string, samples: JobSample[], logits: Float32Array, classes: number): void {
  mkdirSync(folder, { recursive: true });
  const hashes = JSON.stringify(samples.map((sample) => sample.hash));
  const name = createHash('sha256').update(hashes).digest('hex').slice(0, 32);
  const tensor = { shape: [samples.length, classes], values: logits };
  writeSafetensors(join(folder, `${name}.safetensors`), [['logits', tensor]], { images: hashes });
}

/** Logits by image hash from every file of a folder. */
function readFolder(folder: string, classes: number): Map<string, Float32Array> {
  const known = new Map<string, Float32Array>();
  if (!existsSync(folder)) return known;
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.safetensors'))) {
    const header = readSafetensorsHeader(join(folder, name));
    const logits = readTensors(header, ['logits']).get('logits')!;
    const hashes: string[] = JSON.parse(header.metadata.images);
    for (const [index, hash] of hashes.entries()) known.set(hash, rowOf(logits, index, classes));
  }
  return known;
}
