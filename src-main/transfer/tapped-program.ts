import type * as tf from '@tensorflow/tfjs-core';
import type { Program, Tensors } from '../engine/engine.ts';
import { evaluationScope, type Network, specsOf } from './network.ts';
import type { BatchShape } from './step-input.ts';

/**
 * A pass in evaluation mode: images [batch, size, size, 3] → what comes out at taps of the backbone, by their names. `onShape` is told
 * each one's shape by the first run at the latest.
 */
export function tappedProgram(
  { backbone, ...network }: Network,
  taps: readonly string[],
  { batch, size }: BatchShape,
  onShape: (tap: string, shape: number[]) => void,
): Program {
  return {
    state: specsOf(backbone.tensors),
    batch: { images: { shape: [batch, size, size, 3], dtype: 'float32' } },
    step(state, fed) {
      const outputs: Tensors = {};
      const tap = (name: string, value: tf.Tensor) => {
        if (!taps.includes(name)) return;
        outputs[name] = value;
        onShape(name, [...value.shape]);
      };
      const scope = evaluationScope({ backbone, ...network }, state);
      backbone.forward(fed.images as tf.Tensor4D, { ...scope, tap });
      return { state: {}, outputs };
    },
  };
}
