import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../../src-shared/domain.ts';
import type { Engine, EngineInfo, Executable } from './engine.ts';
import { lower, lowerBlockProbe } from './lower/lower.ts';
import type { Target } from './lower/lowering.ts';
import { cpuSessionOptions, hostExecutable } from './run/host.ts';
import { ort, processorName, type RunnableGraph } from './run/session.ts';
import { trace } from './trace/trace.ts';

/** Versions of what decides the numbers of compiled programs. */
export const engineVersions = (): Record<string, string> => ({
  onnxruntime: ort.env.versions.node ?? ort.env.versions.common,
  tfjs: tf.version_core,
  node: process.versions.node,
});

/** An engine that traces programs, lowers them for `target` and runs the graphs with `execute`. */
export function compiledEngine(
  info: EngineInfo,
  target: (evaluation: boolean) => Target,
  execute: (graph: RunnableGraph) => Promise<Executable>,
): Engine {
  const open = new Set<Executable>();
  return {
    info,
    async compile(program, { constants = {} } = {}) {
      const evaluation = Object.keys(constants).length > 0;
      const started = performance.now();
      const traced = trace(program, constants);
      const tracedAt = performance.now();
      const graph = lower(traced, target(evaluation));
      const loweredAt = performance.now();
      const executable = await execute(graph);
      const openedAt = performance.now();
      open.add(executable);
      return {
        ...executable,
        compileSeconds: {
          trace: (tracedAt - started) / 1000,
          lower: (loweredAt - tracedAt) / 1000,
          session: (openedAt - loweredAt) / 1000,
        },
        dispose: () => {
          open.delete(executable);
          return executable.dispose();
        },
      };
    },
    async dispose() {
      for (const executable of open) await executable.dispose();
      open.clear();
    },
  };
}

export interface CpuEngineOptions {
  threads?: number;
  profile?: string;
  precision?: Precision;
}

/**
 * The engine of every machine. With mixed precision it runs the graph that a GPU gets: blocked layouts take values into
 * later kernels in float32 before anything could be stored.
 */
export async function openCpuEngine({ threads = 0, profile, precision }: CpuEngineOptions): Promise<Engine> {
  const block = await blockSize();
  const halfStorage = precision === 'mixed';
  const training = halfStorage || block === 0 ? 'nhwc' : 'blocked';
  return compiledEngine(
    { name: 'cpu', device: processorName(), versions: engineVersions() },
    (evaluation) => ({ provider: 'cpu', layout: evaluation ? 'nchw' : training, block, halfStorage }),
    (graph) => hostExecutable(graph, cpuSessionOptions(graph, { threads, profile })),
  );
}

let knownBlockSize: number | undefined;

/** Floats per block of ONNX Runtime's blocked layout on this processor; 0 where it has none. Found by trying. */
async function blockSize(): Promise<number> {
  if (knownBlockSize !== undefined) return knownBlockSize;
  try {
    const graph = lowerBlockProbe();
    const probe = await hostExecutable(graph, cpuSessionOptions(graph, { threads: 1 }));
    const { blocked } = await probe.run({ rows: Float32Array.from({ length: 64 }, (_, index) => index % 2) });
    await probe.dispose();
    // Two pixels per channel: the second pixel of the first channel follows the first block of channels.
    knownBlockSize = blocked.indexOf(1);
  } catch {
    // A build without these operators, or for a processor without them, refuses the graph.
    knownBlockSize = 0;
  }
  return knownBlockSize;
}
