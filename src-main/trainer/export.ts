import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { inspectModelFile } from '../backbones/inspect.ts';
import { toMetadata } from '../backbones/model-metadata.ts';
import type { Program } from '../engine/engine.ts';
import { toOnnx } from '../engine/export-onnx.ts';
import { writeWhole } from '../formats/write-whole.ts';
import { evaluationProgram } from '../transfer/training-program.ts';
import { openTrained } from './evaluate-weights.ts';
import type { ExportJob } from './protocol.ts';

/**
 * Writes a trained network for use elsewhere. `safetensors` is the file as it was tested: torchvision's names, class
 * names and preprocessing in its metadata. `onnx` takes `images`, float32 [1, size, size, 3] of RGB values 0 … 255
 * (shorter side resized, center crop; normalization is inside), and gives `probabilities:out` [1, classes].
 */
export async function exportNetwork({ weightsPath, format, size, path }: ExportJob): Promise<void> {
  if (format === 'safetensors') return writeWhole(path, [readFileSync(weightsPath)]);
  const model = await inspectModelFile(weightsPath);
  const { network, weights } = openTrained(weightsPath, model);
  const logits = evaluationProgram(network, 'source', 1, size);
  const { mean, std } = model.preprocessing;
  const fromPixels: Program = {
    ...logits,
    step(state, { images }) {
      const normalized = tf.div(tf.sub(tf.div(images, 255), tf.tensor1d(mean)), tf.tensor1d(std));
      const { outputs } = logits.step(state, { images: normalized });
      return { state: {}, outputs: { probabilities: tf.softmax(outputs.logits as tf.Tensor2D) } };
    },
  };
  const metadata = toMetadata({ ...model, classNames: model.sourceClasses });
  writeWhole(path, [toOnnx(fromPixels, weights, metadata)]);
}
