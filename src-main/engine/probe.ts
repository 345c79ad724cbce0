import * as tf from '@tensorflow/tfjs-core';
import { spreadOf } from '../../src-shared/spread.ts';
import type { Arrays, Engine, Program, Specs, Tensors } from './engine.ts';
import { sizeOf } from './trace/ir.ts';

/** What one engine's probe found. */
export interface Probe {
  /** Median time of a step in milliseconds. */
  ms: number;
  /** Squared length of the first kernel's gradient: what two engines that compute alike agree on. */
  slope: number;
}

const batch = 4;
const side = 28;
const channels = 64;
const blocks = 2;
/** Measuring goes on for so long, in milliseconds, and for at least so many steps. */
const duration = 200;
const leastSteps = 3;

/** Two blocks of convolution, batch norm and ReLU, trained: convolutions as wide as those of a ResNet’s first stage. */
function trainingStep(): Program {
  const image = { shape: [batch, side, side, channels], dtype: 'float32' as const };
  const kernel = { shape: [3, 3, channels, channels], dtype: 'float32' as const };
  const names = Array.from({ length: blocks }, (_, index) => `kernel${index}`);
  const kernels: Specs = Object.fromEntries(names.map((name) => [name, kernel]));
  return {
    state: { ...kernels, slope: { shape: [], dtype: 'float32' } },
    batch: { images: image },
    step(weights, { images }) {
      const loss = (...parameters: tf.Tensor[]): tf.Scalar => {
        let x = images as tf.Tensor4D;
        for (const each of parameters) {
          x = tf.conv2d(x, each as tf.Tensor4D, 1, 'same');
          const centered = tf.sub(x, tf.mean(x, [0, 1, 2]));
          const variance = tf.mean(tf.square(centered), [0, 1, 2]);
          x = tf.relu(tf.mul(centered, tf.rsqrt(tf.add(variance, 1e-5))));
        }
        // A plain mean hardly depends on what is normalized.
        return tf.mean(tf.mul(x, images));
      };
      const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => weights[name]));
      const next: Tensors = { slope: tf.sum(tf.square(grads[0])) };
      for (const [index, name] of names.entries()) next[name] = tf.sub(weights[name], grads[index]);
      return { state: next, outputs: { loss: value } };
    },
  };
}

/** Numbers without a pattern, the same at every call. */
const wave = (length: number, scale: number): Float32Array =>
  Float32Array.from({ length }, (_, index) => scale * Math.sin(index * (1 + (index % 97))));

/** Times a small training step on an engine, after a step that warms it up. Throws where the engine fails at it. */
export async function probe(engine: Engine): Promise<Probe> {
  const program = trainingStep();
  const executable = await engine.compile(program);
  try {
    const weights: Arrays = Object.fromEntries(
      Object.entries(program.state).map(([name, spec]) => [name, wave(sizeOf(spec.shape), 0.06)]),
    );
    const fed = { images: wave(sizeOf(program.batch.images.shape), 1) };
    await executable.load(weights);
    await executable.run(fed);
    const { slope } = await executable.read(['slope']);
    const times: number[] = [];
    const end = performance.now() + duration;
    while (times.length < leastSteps || performance.now() < end) {
      const from = performance.now();
      await executable.run(fed);
      times.push(performance.now() - from);
    }
    return { ms: spreadOf(times).median, slope: slope[0] };
  } finally {
    await executable.dispose();
  }
}
