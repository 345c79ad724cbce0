import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { architectureNames } from '../../src-main/backbones/registry.ts';
import { randomWeights } from '../../src-main/bench/random-network.ts';
import { openReferenceEngine } from '../../src-main/engine/eager.ts';
import type { Program } from '../../src-main/engine/engine.ts';
import { openBatchExtent, toOnnx } from '../../src-main/engine/export-onnx.ts';
import { ort } from '../../src-main/engine/run/session.ts';
import { evaluationProgram } from '../../src-main/transfer/evaluation-program.ts';
import { random } from './parity.ts';

const side = 64;
const classes = 5;

/** Probabilities of images by a network an eighth as wide. */
function programOf(
  architecture: string,
  batch: number,
): { program: Program; weights: ReturnType<typeof randomWeights> } {
  const backbone = createBackbone({ architecture, padding: 'symmetric', width: 1 / 8 });
  const { epsilon } = backbone.batchNorm;
  const network = { backbone, batchNormEpsilon: epsilon, sourceClasses: classes, targetClasses: classes };
  const logits = evaluationProgram(network, 'source', batch, side);
  const program: Program = {
    ...logits,
    step(state, fed) {
      const { outputs } = logits.step(state, fed);
      return { state: {}, outputs: { probabilities: tf.softmax(outputs.logits as tf.Tensor2D) } };
    },
  };
  return { program, weights: randomWeights(network) };
}

// Networks that differ in depth alone are the same layers more often.
const skipped =
  /^(resnet(34|101|152)|densenet(169|201)|vgg1[369].*|efficientnet_b[12]|convnext_small|vit_[sb]_16)$/;

test.each(architectureNames().filter((name) => !skipped.test(name)))(
  '%s, exported as ONNX, gives the eager engine’s probabilities in ONNX Runtime',
  { timeout: 120_000 },
  async (architecture) => {
    const { program, weights } = programOf(architecture, 2);
    const { next } = random(3);
    const images = Float32Array.from({ length: 2 * side * side * 3 }, () => 2 * next() - 1);
    const reference = await (await openReferenceEngine()).compile(program, { constants: weights });
    const { probabilities } = await reference.run({ images });
    await reference.dispose();

    const model = toOnnx(programOf(architecture, openBatchExtent).program, weights, {});
    const session = await ort.InferenceSession.create(model);
    const fed = { images: new ort.Tensor('float32', images, [2, side, side, 3]) };
    const outputs = await session.run(fed);
    const exported = outputs['probabilities:out'].data as Float32Array;
    await session.release();
    // Float32 through up to a hundred layers, summed in another order.
    for (const [index, value] of probabilities.entries())
      expect(Math.abs(exported[index] - value)).toBeLessThan(1e-5);
  },
);
