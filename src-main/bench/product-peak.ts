import * as tf from '@tensorflow/tfjs-core';
import { randomOf } from '../data/random.ts';
import type { Engine, Program } from '../engine/engine.ts';
import { countFlops } from '../engine/flops.ts';

/** Side of the matrices; a GPU that is drawn by the processor would take a minute for the large ones. */
const side = 2048;
const softwareSide = 512;
/** The launch of a program costs about a millisecond on a GPU: below this many seconds, products are timed in a row. */
const shortest = 0.02;
const inARow = 32;
const rounds = 5;

/** The most that an engine reaches in a product of two large matrices, in GFLOP/s: the best of a few. */
export async function productPeak(engine: Engine): Promise<number> {
  const extent = engine.info.device.endsWith('(software)') ? softwareSide : side;
  const single = products(extent, 1);
  const seconds = await fastest(engine, single, extent);
  if (seconds >= shortest) return countFlops(single) / seconds / 1e9;
  const many = products(extent, inARow);
  return countFlops(many) / (await fastest(engine, many, extent)) / 1e9;
}

/** `count` products, one after another, of which a single number leaves the engine. */
function products(extent: number, count: number): Program {
  const spec = { shape: [extent, extent], dtype: 'float32' as const };
  return {
    state: { a: spec, b: spec },
    batch: {},
    step(state) {
      let product = state.a as tf.Tensor2D;
      for (let index = 0; index < count; index++) product = tf.matMul(product, state.b as tf.Tensor2D);
      // No engine here is so clever as to compute only the number that is asked for.
      return { state: {}, outputs: { corner: tf.slice(product, [0, 0], [1, 1]) } };
    },
  };
}

async function fastest(engine: Engine, program: Program, extent: number): Promise<number> {
  const random = randomOf(extent, 'bench matrix');
  // With this deviation a product's values are as large as its factors'.
  const bound = Math.sqrt(3 / extent);
  const matrix = () => Float32Array.from({ length: extent ** 2 }, () => (2 * random() - 1) * bound);
  const executable = await engine.compile(program);
  await executable.load({ a: matrix(), b: matrix() });
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round++) {
    const from = performance.now();
    await executable.run({});
    if (round > 0) least = Math.min(least, (performance.now() - from) / 1000);
  }
  await executable.dispose();
  return least;
}
