import type * as tf from '@tensorflow/tfjs-core';
import type { Arrays, Program, Tensors } from '../../engine/engine.ts';
import { type Network, specsOf, trainingScope } from '../network.ts';

/** Names of the running statistics of a network's batch norms. */
export const statisticsOf = ({ backbone }: Network): string[] =>
  backbone.tensors.filter(({ kind }) => kind === 'running').map(({ name }) => name);

/**
 * Mean and unbiased variance of a batch at every batch norm, with the network in training mode: images [batch, size, size, 3] →
 * an output for each running statistic.
 */
export function statisticsProgram(network: Network, batch: number, size: number): Program {
  const { backbone } = network;
  // With a momentum of 1 the updated running statistics are the batch's.
  const fresh = { ...network, backbone: { ...backbone, batchNorm: { ...backbone.batchNorm, momentum: 1 } } };
  return {
    state: specsOf(backbone.tensors),
    batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
    step(state, fed) {
      const outputs: Tensors = {};
      backbone.forward(
        fed.images as tf.Tensor4D,
        trainingScope(fresh, state, (name, value) => {
          outputs[name] = value;
        }),
      );
      return { state: {}, outputs };
    },
  };
}

/** Takes a batch's statistics into the means over `count` batches before it (PyTorch's momentum None). */
export function accumulate(means: Arrays, batch: Arrays, count: number): Arrays {
  return Object.fromEntries(
    Object.entries(batch).map(([name, values]) => [
      name,
      Float32Array.from(values, (value, j) =>
        count === 0 ? value : means[name][j] + (value - means[name][j]) / (count + 1),
      ),
    ]),
  );
}
