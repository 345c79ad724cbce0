import * as tf from '@tensorflow/tfjs-core';
import type { TensorDescription } from '../backbones/backbone.ts';
import { randomOf } from '../data/random.ts';
import type { Arrays, Program, Tensors } from '../engine/engine.ts';
import { classify, evaluationScope, evaluationTensors, type Network, specsOf } from './network.ts';
import { spreadOver } from './spread-over.ts';
import type { StepInput } from './step-input.ts';
import type { Preparation } from './term.ts';

/** Squares of the gradient of log p(y | x) by each parameter, for one row and an outcome y [1, classes], one-hot. */
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
 * The diagonal of the Fisher information of the backbone's parameters, E_x E_y (∂ log p(y | x) / ∂θ)², by one class for each row,
 * drawn from what the pre-trained source head predicts of it: so many of the training rows, which are images, texts, or words of tagged
 * texts, evenly over the labels, in evaluation mode. It follows from the samples and the network, not from the run's seed.
 */
export async function fisherInformation(preparation: Preparation, count: number): Promise<Arrays> {
  const { pretrained: network, labels, weights, compile, progress } = preparation;
  const places = spreadOver(labels, count);
  const { input, size, rows } = await preparation.rows(places);
  const program = fisherProgram(network, input, size, places.length);
  const executable = await compile(program);
  try {
    // The executable takes the arrays that it is given.
    const state = Object.entries(program.state).map(([name, { shape }]) => [
      name,
      weights()[name]?.slice() ?? new Float32Array(shape.reduce((a, b) => a * b, 1)),
    ]);
    await executable.load(Object.fromEntries(state));
    let done = 0;
    for await (const fed of rows) {
      const random = randomOf(0, 'fisher', done);
      // The largest of scores with this noise is a class drawn from their softmax (Gumbel, 1954).
      const noise = Float32Array.from(
        { length: network.sourceClasses },
        () => -Math.log(-Math.log(random() || 2 ** -33)),
      );
      if (fed) await executable.run({ ...fed, noise });
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

/** One row's part of the mean: what a step of one sample is fed and noise [classes] come in, `fisher/NAME` grows. */
function fisherProgram(network: Network, input: StepInput, size: number, count: number): Program {
  const { backbone, sourceClasses } = network;
  const specs = fisherSpecs(network);
  const names = Object.keys(specs);
  return {
    state: {
      ...specsOf(evaluationTensors(network, 'source')),
      ...Object.fromEntries(names.map((name) => [sumName(name), specs[name]])),
    },
    batch: {
      ...input.specs({ batch: 1, size }, network, true),
      noise: { shape: [sourceClasses], dtype: 'float32' },
    },
    step(state, { noise, ...fed }) {
      const squares = squaredScores(
        Object.fromEntries(names.map((name) => [name, state[name]])),
        (parameters) => {
          const tensors = { ...state, ...parameters };
          const scope = { ...evaluationScope(network, tensors), ...input.scope(fed) };
          const features = backbone.forward(fed[input.takes], scope);
          return classify(
            network,
            first(input.rows(features, fed, network).source.features),
            tensors,
            backbone.head,
          );
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
        tf.add(state[sumName(name)], tf.div(squares[name], count)),
      ]);
      return { state: Object.fromEntries(next), outputs: {} };
    },
  };
}

/** The row that is there: places for others are empty. */
const first = (rows: tf.Tensor): tf.Tensor => (rows.shape[0] === 1 ? rows : tf.slice(rows, 0, 1));
