import './gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Arrays, Engine, EngineInfo, Executable, Program, Tensors, Values } from './engine.ts';

/**
 * Runs programs op by op on a tf.js backend that is registered under `backend`: tf.js's own CPU backend (the
 * tests' reference) or tfjs-node's. Slow on the former, but every number is tf.js's own.
 */
export function eagerEngine(backend: string, info: EngineInfo): Engine {
  return {
    info,
    compile: async (program, options = {}) => eagerExecutable(backend, program, options.constants ?? {}),
    dispose: async () => {},
  };
}

/** The reference engine of the tests: tf.js's CPU backend, eagerly. */
export async function openReferenceEngine(): Promise<Engine> {
  await import('@tensorflow/tfjs-backend-cpu');
  return eagerEngine('cpu', {
    name: 'reference',
    device: 'tf.js CPU backend',
    versions: { tfjs: tf.version_core },
  });
}

async function eagerExecutable(backend: string, program: Program, constants: Arrays): Promise<Executable> {
  const state: Tensors = {};
  const asTensor = (name: string, values: Values, specs: Program['state']): tf.Tensor => {
    const spec = specs[name];
    if (!spec) throw new CotuneError('failed', `The program has no tensor named «${name}».`);
    return tf.tensor(values.slice(), spec.shape, spec.dtype);
  };
  const onBackend = async <T>(work: () => T): Promise<T> => {
    await tf.setBackend(backend);
    return work();
  };
  const load = (arrays: Arrays) =>
    onBackend(() => {
      for (const [name, values] of Object.entries(arrays)) {
        const tensor = asTensor(name, values, program.state);
        state[name]?.dispose();
        state[name] = tensor;
      }
    });
  await load(constants);

  return {
    load,
    run: (batch) =>
      onBackend(() => {
        const missing = Object.keys(program.state).filter((name) => !state[name]);
        if (missing.length > 0)
          throw new CotuneError('failed', `State not loaded: ${missing.slice(0, 5).join(', ')}.`);
        const result = tf.tidy(() => {
          const fed: Tensors = {};
          for (const name of Object.keys(program.batch))
            fed[name] = asTensor(name, batch[name], program.batch);
          const { state: next, outputs } = program.step(state, fed);
          const read = Object.entries(outputs).map(
            ([name, tensor]) => [name, tensor.dataSync().slice()] as const,
          );
          return { next, outputs: Object.fromEntries(read) as Arrays };
        });
        for (const [name, tensor] of Object.entries(result.next)) {
          if (tensor === state[name]) continue;
          state[name].dispose();
          state[name] = tensor;
        }
        return result.outputs;
      }),
    read: (names = Object.keys(program.state)) =>
      onBackend(() =>
        Object.fromEntries(names.map((name) => [name, state[name].dataSync().slice() as Values])),
      ),
    dispose: () =>
      onBackend(() => {
        for (const tensor of Object.values(state)) tensor.dispose();
      }),
  };
}
