import './gradients.ts';
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type {
  Arrays,
  Compiled,
  CompileOptions,
  Engine,
  EngineInfo,
  Program,
  Specs,
  Tensors,
  Values,
} from './engine.ts';

/** The reference engine of the tests: tf.js's CPU backend, op by op. Slow, but every number is tf.js's own. */
export async function openReferenceEngine(): Promise<Engine> {
  await import('@tensorflow/tfjs-backend-cpu');
  return eagerEngine('cpu', {
    name: 'reference',
    device: 'tf.js CPU backend',
    versions: { tfjs: tf.version_core },
  });
}

/** Optional peers that bring TensorFlow's own library, the better one first. */
const tensorflowPackages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

/**
 * The `tensorflow` engine: programs run op by op by tfjs-node-gpu or tfjs-node, whichever can be loaded. `load` imports
 * a package by name. Throws `unavailable` with each package's reason where neither loads, or for mixed precision.
 */
export async function openTensorflowEngine(
  precision: Precision = 'full',
  load: (name: string) => Promise<unknown> = (name) => import(name),
): Promise<Engine> {
  if (precision === 'mixed')
    throw new CotuneError(
      'unavailable',
      'The tensorflow engine has no mixed precision: tf.js has no half-precision tensors.',
      'Use --precision full, or another engine.',
    );
  restoreRemovedNodeFunctions();
  const before = tf.getBackend();
  const reasons: string[] = [];
  for (const name of tensorflowPackages) {
    try {
      const module = (await load(name)) as { version?: Record<string, string> };
      const version = module.version?.['tfjs-node'] ?? 'unknown';
      return eagerEngine('tensorflow', {
        name: 'tensorflow',
        device: name,
        versions: { 'tfjs-node': version },
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      reasons.push(`${name}: ${code === 'ERR_MODULE_NOT_FOUND' ? 'not installed' : message.split('\n')[0]}`);
    } finally {
      // Loading one of them makes it tf.js's current backend.
      if (before) void tf.setBackend(before);
    }
  }
  throw new CotuneError(
    'unavailable',
    `TensorFlow cannot be loaded (${reasons.join('; ')}).`,
    'Add it with: npm install @tensorflow/tfjs-node-gpu@4.22.0 (CUDA 11.2, cuDNN 8.1) or @tensorflow/tfjs-node@4.22.0. Its install script downloads the library.',
  );
}

/** tfjs-node 4.22 calls two functions of `util` that Node 23 removed (tensorflow/tfjs#8425). */
function restoreRemovedNodeFunctions(): void {
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  util.isArray ??= Array.isArray;
}

/** Runs programs op by op on the tf.js backend registered as `backend`. */
function eagerEngine(backend: string, info: EngineInfo): Engine {
  return {
    info,
    compile: async (program, options = {}) => eagerExecutable(backend, program, options),
    dispose: async () => {},
  };
}

/** What a program that was handed out holds. */
const stateOf = new WeakMap<Compiled, Tensors>();

function eagerExecutable(
  backend: string,
  program: Program,
  { constants = {}, over }: CompileOptions,
): Compiled {
  const state: Tensors = (over && stateOf.get(over)) ?? {};
  const asTensor = (name: string, values: Values | undefined, specs: Specs): tf.Tensor => {
    const spec = specs[name];
    if (!spec) throw new CotuneError('failed', `The program has no tensor named "${name}".`);
    const size = spec.shape.reduce((product, extent) => product * extent, 1);
    if (values?.length !== size)
      throw new CotuneError('failed', `"${name}" needs ${size} values and has ${values?.length ?? 'none'}.`);
    return tf.tensor(values.slice(), spec.shape, spec.dtype);
  };
  /** tf.js has one current backend; nothing here awaits between choosing it and using it. */
  const onBackend = <T>(work: () => T): T => {
    void tf.setBackend(backend);
    return work();
  };
  const load = (arrays: Arrays): void =>
    onBackend(() => {
      for (const [name, values] of Object.entries(arrays)) {
        const tensor = asTensor(name, values, program.state);
        state[name]?.dispose();
        state[name] = tensor;
      }
    });
  load(constants);

  const compiled: Compiled = {
    compileSeconds: { trace: 0, lower: 0, session: 0 },
    load: async (arrays) => load(arrays),
    run: async (batch) =>
      onBackend(() => {
        const missing = Object.keys(program.state).filter((name) => !state[name]);
        if (missing.length > 0)
          throw new CotuneError('failed', `State not loaded: ${missing.slice(0, 5).join(', ')}.`);
        let results: Arrays = {};
        const next = tf.tidy(() => {
          const fed: Tensors = {};
          for (const name of Object.keys(program.batch))
            fed[name] = asTensor(name, batch[name], program.batch);
          const { state: after, outputs, diagnosis } = program.step(state, fed);
          results = Object.fromEntries(Object.entries({ ...outputs, ...diagnosis }).map(copyOut));
          return after;
        });
        for (const [name, tensor] of Object.entries(next)) {
          if (tensor === state[name]) continue;
          state[name].dispose();
          state[name] = tensor;
        }
        return results;
      }),
    read: async (names = Object.keys(program.state)) =>
      onBackend(() => Object.fromEntries(names.map((name) => copyOut([name, state[name]])))),
    dispose: async () => {
      for (const [name, tensor] of Object.entries(state)) {
        tensor.dispose();
        delete state[name];
      }
    },
  };
  stateOf.set(compiled, state);
  return compiled;
}

const copyOut = ([name, tensor]: [string, tf.Tensor]) => [name, tensor.dataSync().slice() as Values] as const;
