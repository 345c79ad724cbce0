import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../../src-shared/domain.ts';
import type { Arrays, Compiled, CompileSeconds, Engine, EngineInfo } from './engine.ts';
import { giveBack } from './lower/give-back.ts';
import { lower, lowerBlockProbe } from './lower/lower.ts';
import type { Target } from './lower/lowering.ts';
import { cpuSessionOptions, hostExecutable } from './run/host.ts';
import { ort, processorName, type RunnableGraph, type SessionExecutable } from './run/session.ts';
import { fingerprint } from './trace/fingerprint.ts';
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
  execute: (graph: RunnableGraph, yields: boolean, over?: SessionExecutable) => Promise<SessionExecutable>,
): Engine {
  const open = new Set<SessionExecutable>();
  /** What is behind a program that was handed out. */
  const behind = new WeakMap<Compiled, SessionExecutable>();
  const close = async (executable: SessionExecutable): Promise<void> => {
    open.delete(executable);
    await executable.dispose();
  };
  /** One program, set aside for its next compilation: at most one, since its session holds the memory of a step. */
  let aside: { key: string; executable: SessionExecutable } | undefined;
  async function closeAside(): Promise<void> {
    const old = aside;
    aside = undefined;
    if (old) await close(old.executable);
  }

  function handle(
    executable: SessionExecutable,
    key: string | undefined,
    compileSeconds: CompileSeconds,
  ): Compiled {
    let disposed = false;
    const compiled: Compiled = {
      ...executable,
      compileSeconds,
      async dispose() {
        // What was set aside may be another's by the second call.
        if (disposed) return;
        disposed = true;
        if (key === undefined || !open.has(executable)) return close(executable);
        await closeAside();
        await executable.unload();
        aside = { key, executable };
      },
    };
    behind.set(compiled, executable);
    return compiled;
  }

  return {
    info,
    async compile(program, { constants = {}, consumes, keep = false, yields = false, over } = {}) {
      const evaluation = Object.keys(constants).length > 0;
      const started = performance.now();
      const traced = trace(program, constants, consumes);
      const key = keep && !evaluation ? fingerprint(traced) : undefined;
      const compileSeconds = { trace: (performance.now() - started) / 1000, lower: 0, session: 0 };
      let executable = key !== undefined && aside?.key === key ? aside.executable : undefined;
      if (executable) aside = undefined;
      else {
        if (key !== undefined) await closeAside();
        const from = performance.now();
        const graph = lower(traced, target(evaluation));
        if (consumes) free(constants, graph);
        const loweredAt = performance.now();
        executable = await execute(graph, yields, over && behind.get(over));
        open.add(executable);
        compileSeconds.lower = (loweredAt - from) / 1000;
        compileSeconds.session = (performance.now() - loweredAt) / 1000;
      }
      return handle(executable, key, compileSeconds);
    },
    async dispose() {
      aside = undefined;
      for (const executable of open) await close(executable);
    },
  };
}

/** Gives the memory of arrays back that a graph does not use. */
function free(arrays: Arrays, { fed, apart }: RunnableGraph): void {
  const used = new Set([...fed, ...apart].map(({ data }) => data.buffer));
  for (const array of Object.values(arrays)) if (!used.has(array.buffer)) giveBack(array);
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
  const blocked = block > 0 && !halfStorage;
  return compiledEngine(
    { name: 'cpu', device: processorName(), versions: engineVersions() },
    (evaluation) => {
      const plain = evaluation ? 'nchw' : 'nhwc';
      return { provider: 'cpu', layout: blocked ? 'blocked' : plain, block, halfStorage };
    },
    (graph, yields, over) =>
      hostExecutable(graph, cpuSessionOptions(graph, { threads, profile, yields }), over),
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
