import * as tf from '@tensorflow/tfjs-core';
import type { Places } from '../backbones/places.ts';
import type { Program } from '../engine/engine.ts';
import {
  classify,
  evaluationScope,
  evaluationTensors,
  type Network,
  sourceHeadTensors,
  specsOf,
} from './network.ts';

/** A pass in evaluation mode over one image [1, size, size, 3] → its `places` and the source head's `logits` [1, classes]. */
export function placesProgram(network: Network, places: Places, size: number): Program {
  return {
    state: specsOf(evaluationTensors(network, 'source')),
    batch: { images: { shape: [1, size, size, 3], dtype: 'float32' } },
    step(state, { images }) {
      const scope = evaluationScope(network, state);
      const found = places.forward(images, scope);
      const logits = classify(network, places.resume(found, scope), state, network.backbone.head);
      return { state: {}, outputs: { places: found, logits } };
    },
  };
}

/**
 * `places` of `shape` and a class as `chosen` [1, classes], one-hot → `gradients` of that class's logit, before any softmax, by
 * each of the places' numbers.
 */
export function placeGradientsProgram(network: Network, places: Places, shape: number[]): Program {
  return {
    state: specsOf([...places.tensorsBehind, ...sourceHeadTensors(network)]),
    batch: {
      places: { shape, dtype: 'float32' },
      chosen: { shape: [1, network.sourceClasses], dtype: 'float32' },
    },
    step(state, fed) {
      const scope = evaluationScope(network, state);
      const logit = (found: tf.Tensor): tf.Scalar =>
        tf.sum(
          tf.mul(classify(network, places.resume(found, scope), state, network.backbone.head), fed.chosen),
        );
      return { state: {}, outputs: { gradients: tf.grad(logit)(fed.places) } };
    },
  };
}
