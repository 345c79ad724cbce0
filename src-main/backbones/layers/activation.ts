import * as tf from '@tensorflow/tfjs-core';
import { gelu } from '../../engine/ops/gelu.ts';
import { hardSigmoid, hardSwish, relu, relu6, sigmoid, silu } from '../activations.ts';
import type { ActivationName } from '../description.ts';
import { type Build, plain } from './layer.ts';

const functions: Record<ActivationName, (x: tf.Tensor) => tf.Tensor> = {
  relu,
  relu6,
  silu,
  gelu,
  hardSwish,
  hardSigmoid,
  sigmoid,
  tanh: (x) => tf.tanh(x),
};

export const activation: Build<'activation'> = ({ of }, { channels }) => plain(channels, functions[of]);
