import * as tf from '@tensorflow/tfjs-core';
import { constantsOf } from '../engine/constants-of.ts';
import type { Arrays, Program } from '../engine/engine.ts';
import { crossEntropy } from './cross-entropy.ts';
import { stageEnds } from './feature-distance.ts';
import { probedHead } from './linear-probe.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  specsOf,
  targetHead,
} from './network.ts';
import { spreadOver } from './spread-over.ts';
import { tappedProgram } from './tapped-program.ts';
import type { Preparation } from './term.ts';

/** Images at once. */
const atOnce = 16;

/** What a channel's z-score is divided by before the softmax: DELTA's code. */
const smoothing = 5;

/**
 * DELTA's weights of the channels at the end of each stage, each layer's summing to one: softmax of a fifth of the z-scores of what the
 * loss of the pre-trained network, with the linear probe for its head, rises by where one channel is zero; the mean over so many training
 * images, in evaluation mode. A channel is set to zero at the end of its stage, and only the rest of the pass is made again.
 */
export async function channelWeights(preparation: Preparation, images: number): Promise<Arrays> {
  const { pretrained: network, labels, weights, compile, progress } = preparation;
  const tensors = { ...weights(), ...(await probedHead(preparation)) };
  const places = spreadOver(labels, images);
  const ends = stageEnds(network);
  const { stageChannels } = network.backbone;
  const batches = await stageValues(preparation, places, tensors);
  const total = ends.reduce((sum, _, index) => sum + stageChannels[index + 1], 0) * batches.length;
  let done = 0;
  const found: Arrays = {};
  for (const [index, end] of ends.entries()) {
    const channels = stageChannels[index + 1];
    const program = restProgram(network, index + 1, batches[0].shapes[end]);
    const executable = await compile(program, constantsOf(program, tensors));
    const rises = new Float64Array(channels);
    try {
      for (const { values, labels: truth, counts } of batches) {
        const lossWithout = async (channel: number | null) => {
          const mask = new Float32Array(channels).fill(1);
          if (channel !== null) mask[channel] = 0;
          return (await executable.run({ value: values[end], mask, labels: truth, counts })).loss[0];
        };
        const whole = await lossWithout(null);
        for (let channel = 0; channel < channels; channel++) {
          rises[channel] += ((await lossWithout(channel)) - whole) / places.length;
          progress(++done, total);
        }
      }
    } finally {
      await executable.dispose();
    }
    found[end] = attentionOf(rises);
  }
  return found;
}

/** softmax(z / 5), z the rises standardized with the population's deviation; uniform where all are alike. */
export function attentionOf(rises: ArrayLike<number>): Float32Array {
  const values = Array.from(rises);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const exponentials = values.map((value) =>
    deviation > 0 ? Math.exp((value - mean) / deviation / smoothing) : 1,
  );
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return Float32Array.from(exponentials, (value) => value / sum);
}

/** What a batch of images makes at the ends of stages. */
interface StageValues {
  values: Arrays;
  shapes: Record<string, number[]>;
  labels: Int32Array;
  /** 1 for each image, 0 where the batch is filled up [batch, 1]. */
  counts: Float32Array;
}

async function stageValues(
  { pretrained: network, images, compile, size }: Preparation,
  places: readonly number[],
  tensors: Arrays,
): Promise<StageValues[]> {
  const ends = stageEnds(network);
  const batch = Math.min(atOnce, places.length);
  const shapes: Record<string, number[]> = {};
  const program = tappedProgram(network, ends, { batch, size }, (name, shape) => {
    shapes[name] = shape;
  });
  const executable = await compile(program, constantsOf(program, tensors));
  const made: StageValues[] = [];
  try {
    for await (const { images: pixels, labels, count, unusable } of images(places, batch)) {
      const counts = Float32Array.from({ length: batch }, (_, at) =>
        Number(at < count && !unusable.includes(at)),
      );
      made.push({ values: await executable.run({ images: pixels }), shapes, labels, counts });
    }
  } finally {
    await executable.dispose();
  }
  return made;
}

/** The rest of a pass from the end of a stage: `value` with its channels times `mask`, `labels`, `counts` → the summed `loss`. */
function restProgram(network: Network, stage: number, shape: number[]): Program {
  const { backbone, targetClasses } = network;
  const batch = shape[0];
  return {
    state: specsOf(evaluationTensors(network, 'target')),
    batch: {
      value: { shape, dtype: 'float32' },
      mask: { shape: [shape.at(-1)!], dtype: 'float32' },
      labels: { shape: [batch], dtype: 'int32' },
      counts: { shape: [batch, 1], dtype: 'float32' },
    },
    step(state, { value, mask, labels, counts }) {
      const features = backbone.resume(stage, tf.mul(value, mask), evaluationScope(network, state));
      const logits = classify(network, features, state, targetHead);
      const truth = tf.oneHot(labels as tf.Tensor1D, targetClasses, 1, 0, 'float32') as tf.Tensor2D;
      return {
        state: {},
        outputs: { loss: tf.mul(crossEntropy(logits, truth, counts as tf.Tensor2D), batch) },
      };
    },
  };
}
