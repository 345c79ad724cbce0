import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { CotuneError } from '../../src-shared/errors.ts';
import { inspectModelFile } from '../backbones/inspect.ts';
import { constantsOf } from '../engine/constants-of.ts';
import type { Program } from '../engine/engine.ts';
import { openBatchExtent, toOnnx } from '../engine/export-onnx.ts';
import { openEngine } from '../engine/open.ts';
import { writeWhole } from '../formats/write-whole.ts';
import type { Trained } from '../tasks/task.ts';
import { evaluationProgram } from '../transfer/evaluation-program.ts';
import { openTrained } from './evaluate-weights.ts';
import { contractMetadata, contractReadme, exportedInput } from './export-contract.ts';
import { softmaxRows } from './predict-logits.ts';
import type { ExportJob } from './protocol.ts';
import { testBatch, testPictures } from './test-vectors.ts';
import { verifyExport } from './verify-export.ts';

/**
 * Writes a trained network for use elsewhere. `safetensors` is the file as it was tested: torchvision's names, class
 * names and preprocessing in its metadata. `onnx` takes `images`, float32 [batch, size, size, 3] of RGB values 0 … 255
 * (shorter side resized, center crop; normalization is inside), and gives `probabilities:out` [batch, classes]; its contract
 * stands in its metadata and in `readmePath`, with test vectors that this function has run on the file.
 */
export async function exportNetwork({
  weightsPath,
  format,
  size,
  path,
  readmePath,
}: ExportJob): Promise<void> {
  if (format === 'safetensors') return writeWhole(path, [readFileSync(weightsPath)]);
  const model = await inspectModelFile(weightsPath);
  const { mean, std } = model.preprocessing;
  const trained = openTrained(weightsPath, model);
  const vectors = await testProbabilities(trained, model.preprocessing, size);
  const logits = evaluationProgram(trained.network, 'source', openBatchExtent, size);
  const fromPixels: Program = {
    ...logits,
    step(state, { [exportedInput]: images }) {
      const normalized = tf.div(tf.sub(tf.div(images, 255), tf.tensor1d(mean)), tf.tensor1d(std));
      const { outputs } = logits.step(state, { images: normalized });
      return { state: {}, outputs: { probabilities: tf.softmax(outputs.logits as tf.Tensor2D) } };
    },
  };
  const facts = {
    ...model,
    classNames: model.sourceClasses,
    preprocessing: { ...model.preprocessing, inputSize: size },
  };
  writeWhole(path, [toOnnx(fromPixels, trained.weights, contractMetadata(facts, vectors))]);
  writeWhole(readmePath, [Buffer.from(contractReadme(basename(path), facts, vectors))]);
  const check = await verifyExport(path);
  const wrong = check.vectors.find(({ holds }) => !holds);
  if (wrong)
    throw new CotuneError(
      'failed',
      `The exported network gives other probabilities than the run: ${wrong.difference.toPrecision(2)} apart on the test picture “${wrong.name}”.`,
      'Do not use the file, and tell us about the run.',
    );
}

/** Probabilities of the test pictures, [pictures, classes], by the engine that tests runs. */
async function testProbabilities(
  { network, weights }: Trained,
  { mean, std }: { mean: readonly number[]; std: readonly number[] },
  size: number,
): Promise<Float32Array> {
  const engine = await openEngine('cpu');
  try {
    const program = evaluationProgram(network, 'source', testPictures.length, size);
    const constants = constantsOf(program, weights);
    const executable = await engine.compile(program, { constants });
    const images = testBatch(size).map((value, i) => (value / 255 - mean[i % 3]) / std[i % 3]);
    const { logits } = await executable.run({ images });
    await executable.dispose();
    return softmaxRows(logits as Float32Array, network.sourceClasses);
  } finally {
    await engine.dispose();
  }
}
