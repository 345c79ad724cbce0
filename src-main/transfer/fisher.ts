import * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import { randomOf } from '../data/random.ts';
import type { Arrays, Program, Tensors } from '../engine/engine.ts';
import { classify, evaluationScope, evaluationTensors, type Network, specsOf } from './network.ts';
import { spreadOver } from './spread-over.ts';
import type { Preparation } from './term.ts';

/** Squares of the gradient of log p(y | x) by each parameter, for one image and an outcome y [1, classes], one-hot. */
export function squaredScores(
  parameters: Tensors,
  logitsOf: (parameters: Tensors) => tf.Tensor2D,
  outcomeOf: (logits: tf.Tensor2D) => tf.Tensor2D,
): Tensors {
  const names = Object.keys(parameters);
  const logLikelihood = (...values: tf.Tensor[]): tf.Scalar => {
    const logits = logitsOf(Object.fromEntries(names.map((name, index) => [name, values[index]])));
    return tf.sum(tf.mul(tf.logSoftmax(logits, 1), outcomeOf(logits)));
  };
  const gradients = tf.grads(logLikelihood)(names.map((name) => parameters[name]));
  return Object.fromEntries(names.map((name, index) => [name, tf.square(gradients[index])]));
}

/** Trained tensors that the pre-trained network's predictions follow from. */
const parametersOf = (tensors: readonly TensorDescription[]) =>
  tensors.filter(({ kind }) => kind !== 'running');

/** What a term keeps of the Fisher information: a number for each number of the backbone that can be trained. */
export const fisherSpecs = ({ backbone }: Network) => specsOf(parametersOf(backbone.tensors));

/**
 * The diagonal of the Fisher information of the backbone's parameters, E_x E_y (∂ log p(y | x) / ∂θ)², by one class for each image,
 * drawn from what the pre-trained source head predicts of it: so many of the training images, evenly over the classes, in evaluation
 * mode. It follows from the images and the network, not from the run's seed.
 */
export async function fisherInformation(preparation: Preparation, images: number): Promise<Arrays> {
  const { pretrained: network, labels, size, weights, compile, progress } = preparation;
  const places = spreadOver(labels, images);
  const program = fisherProgram(network, size, places.length);
  const executable = await compile(program);
  try {
    // The executable takes the arrays that it is given.
    const state = Object.entries(program.state).map(([name, { shape }]) => [
      name,
      weights()[name]?.slice() ?? new Float32Array(shape.reduce((a, b) => a * b, 1)),
    ]);
    await executable.load(Object.fromEntries(state));
    let done = 0;
    for await (const { images: pixels, unusable } of preparation.images(places, 1)) {
      const random = randomOf(0, 'fisher', done);
      // The largest of scores with this noise is a class drawn from their softmax (Gumbel, 1954).
      const noise = Float32Array.from(
        { length: network.sourceClasses },
        () => -Math.log(-Math.log(random() || 2 ** -33)),
      );
      if (unusable.length === 0) await executable.run({ images: pixels, noise });
      progress(++done, places.length);
    }
    const names = Object.keys(fisherSpecs(network));
    const found = await executable.read(names.map(sumName));
    return Object.fromEntries(names.map((name) => [name, found[sumName(name)]]));
  } finally {
    await executable.dispose();
  }
}

const sumName = (parameter: string): string => `fisher/${parameter}`;

/** One image's part of the mean: images [1, size, size, 3] and noise [classes] come in, `fisher/NAME` grows. */
function fisherProgram(network: Network, size: number, images: number): Program {
  const { backbone, sourceClasses } = network;
  const specs = fisherSpecs(network);
  const names = Object.keys(specs);
  return {
    state: {
      ...specsOf(evaluationTensors(network, 'source')),
      ...Object.fromEntries(names.map((name) => [sumName(name), specs[name]])),
    },
    batch: {
      images: { shape: [1, size, size, 3], dtype: 'float32' },
      noise: { shape: [sourceClasses], dtype: 'float32' },
    },
    step(state, { images: pixels, noise }) {
      const squares = squaredScores(
        Object.fromEntries(names.map((name) => [name, state[name]])),
        (parameters) => {
          const tensors = { ...state, ...parameters };
          const features = backbone.forward(pixels as tf.Tensor4D, evaluationScope(network, tensors));
          return classify(network, features, tensors, backbone.head);
        },
        (logits) =>
          tf.oneHot(
            tf.argMax(tf.add(logits, noise), 1) as tf.Tensor1D,
            sourceClasses,
            1,
            0,
            'float32',
          ) as tf.Tensor2D,
      );
      const next = names.map((name) => [
        sumName(name),
        tf.add(state[sumName(name)], tf.div(squares[name], images)),
      ]);
      return { state: Object.fromEntries(next), outputs: {} };
    },
  };
}
