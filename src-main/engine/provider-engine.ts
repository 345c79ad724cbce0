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
    (graph) => (keepsState ? webgpuExecutable(graph, lowerCopy) : hostExecutable(graph, options)),
  );
  try {
    await tryOut(engine);
  } catch (error) {
    await engine.dispose();
    if (error instanceof CotuneError && error.code === 'unavailable') throw error;
    const why = firstLine(error instanceof Error ? error.message : String(error));
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

async function tryOut(engine: Engine): Promise<void> {
  const executable = await engine.compile(descent);
  await executable.load({ w: Float32Array.of(2) });
  const { loss } = await executable.run({ x: Float32Array.of(3) });
  const { w } = await executable.read();
  await executable.dispose();
  // 2 - 2 · 2 · 3²
  if (loss[0] !== 36 || w[0] !== -34) throw new Error('it computes wrong numbers on this adapter.');
}
