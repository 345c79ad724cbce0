import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { compiledEngine, engineVersions } from './compiled-engine.ts';
import type { Engine, Program } from './engine.ts';
import { lowerCopy } from './lower/lower.ts';
import { type Adapter, listAdapters } from './run/adapters.ts';
import { firstLine } from './run/failure.ts';
import { hostExecutable } from './run/host.ts';
import { isBuiltIn, type ProviderName, providers } from './run/providers.ts';
import { webgpuExecutable } from './run/webgpu.ts';

/**
 * An engine on one of ONNX Runtime's accelerators, tried out before it is handed over. Throws `unavailable` with the
 * reason where the runtime was built without it, it does not start, it has no half precision where that is asked for,
 * or it computes wrong numbers.
 */
export async function openProviderEngine(name: ProviderName, precision: Precision): Promise<Engine> {
  const { title, keepsState, options, needs } = providers[name];
  if (!isBuiltIn(name))
    throw new CotuneError('unavailable', `The installed ONNX Runtime has no ${title} provider.`, needs);
  const engine = compiledEngine(
    { name, device: deviceName(await listAdapters()), versions: engineVersions() },
    () => ({ provider: 'gpu', layout: 'nhwc', block: 0, halfStorage: precision === 'mixed' }),
    (graph, _, over) =>
      keepsState ? webgpuExecutable(graph, lowerCopy, over) : hostExecutable(graph, options, over),
  );
  try {
    await tryOut(engine, precision);
  } catch (error) {
    await engine.dispose();
    if (error instanceof CotuneError && error.code === 'unavailable') throw error;
    const { message, cause } = error as Error;
    const why = firstLine(cause instanceof Error ? cause.message : message);
    throw new CotuneError(
      'unavailable',
      `ONNX Runtime's ${title} provider does not start here: ${why}`,
      needs,
      { cause: error },
    );
  }
  return engine;
}

const deviceName = ([adapter]: Adapter[]): string => {
  if (!adapter) return 'adapter of unknown name';
  const memory = adapter.memory ? `, ${Math.round(adapter.memory / 2 ** 30)} GiB` : '';
  return `${adapter.name}${memory}`;
};

const pixel = { shape: [1, 1, 1, 1], dtype: 'float32' as const };

/** One step down (w x)² with a gradient, so that a value is kept for it. */
const descent: Program = {
  state: { w: pixel },
  batch: { x: pixel },
  step({ w }, { x }) {
    const loss = (weight: tf.Tensor) => tf.sum(tf.square(tf.mul(weight, x))) as tf.Scalar;
    const { value, grad } = tf.valueAndGrad(loss)(w);
    return { state: { w: tf.sub(w, grad) }, outputs: { loss: value } };
  },
};

/**
 * Runs a step whose result shows the precision of the arithmetic and of what is stored between its two halves. It stays
 * open as long as the engine: with its last session the runtime would give up the device and every compiled shader.
 */
async function tryOut(engine: Engine, precision: Precision): Promise<void> {
  const executable = await engine.compile(descent);
  // Half precision cannot tell x from 1.
  const x = 1 + 2 ** -12;
  await executable.load({ w: Float32Array.of(2) });
  await executable.run({ x: Float32Array.of(x) });
  const { w } = await executable.read();
  // The gradient is 2 (w x) x; mixed precision stores w x as 2.
  const expected = 2 - 2 * (precision === 'mixed' ? 2 : 2 * x) * x;
  if (!(Math.abs(w[0] - expected) < 1e-6)) throw new Error('it computes wrong numbers on this adapter.');
}
