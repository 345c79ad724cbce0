import * as tf from '@tensorflow/tfjs-core';
import type { EngineChoice } from '../../src-shared/domain.ts';
import { CotuneError, toErrorValue } from '../../src-shared/errors.ts';
import { openTensorflowEngine } from './eager.ts';
import type { Engine, EngineInfo, Executable } from './engine.ts';
import { lower, lowerBlockProbe, lowerCopy } from './lower/lower.ts';
import type { Target } from './lower/lowering.ts';
import { type Adapter, listAdapters } from './run/adapters.ts';
import { cpuExecutable } from './run/cpu.ts';
import { ort, processorName, type RunnableGraph } from './run/session.ts';
import { webgpuExecutable } from './run/webgpu.ts';
import { trace } from './trace/trace.ts';

export interface OpenOptions {
  /** Where measured choices are remembered between processes. */
  cacheFolder?: string;
  /** Threads inside one operator of the CPU engine; by default the runtime's choice. */
  threads?: number;
  /** Prefix of the files in which the CPU engine leaves the time of every operator, one per program, at disposal. */
  profile?: string;
}

/** What `listEngines` says about one engine. */
export interface EngineReport {
  name: string;
  available: boolean;
  device: string;
  /** Why it is not available, or what to know about it. */
  reason: string;
  versions: Record<string, string>;
}

const versions = (): Record<string, string> => ({
  onnxruntime: ort.env.versions.node ?? ort.env.versions.common,
  tfjs: tf.version_core,
  node: process.versions.node,
});

/** Opens an engine. Throws `unavailable` with the reason where it cannot run on this machine. */
export async function openEngine(choice: EngineChoice, options: OpenOptions = {}): Promise<Engine> {
  switch (choice) {
    case 'cpu':
      return cpuEngine(options);
    case 'webgpu':
      return webgpuEngine();
    case 'auto':
      return (await hardwareEngine()) ?? cpuEngine(options);
    case 'tensorflow':
      return openTensorflowEngine();
    default:
      throw new CotuneError(
        'unavailable',
        `The installed ONNX Runtime has no «${choice}» provider that this program can use.`,
        '`cotune doctor` lists the engines of this machine; `--engine auto` picks one that works.',
      );
  }
}

/** The GPU engine where a real adapter works. A software rasterizer never wins over the CPU. */
async function hardwareEngine(): Promise<Engine | undefined> {
  const adapters = await listAdapters();
  if (!adapters.some(({ software }) => !software)) return undefined;
  return webgpuEngine().catch(() => undefined);
}

/** Every engine of the product: whether it works on this machine, on what device, and if not, why. */
export async function listEngines(): Promise<EngineReport[]> {
  const report = async (name: EngineChoice): Promise<EngineReport> => {
    try {
      const engine = await openEngine(name);
      await engine.dispose();
      const software = engine.info.device.endsWith('(software)');
      const reason = software
        ? 'Draws on the CPU: correct, but slower than the CPU engine; never chosen by itself.'
        : '';
      return { name, available: true, device: engine.info.device, reason, versions: engine.info.versions };
    } catch (error) {
      const { message, hint } = toErrorValue(error);
      const reason = `${message.replace(/[^.]$/, '$&.')} ${hint}`.trim();
      return { name, available: false, device: '', reason, versions: {} };
    }
  };
  const reports: EngineReport[] = [];
  for (const name of ['cpu', 'webgpu', 'tensorflow'] as const) reports.push(await report(name));
  return reports;
}

/** An engine that traces programs, lowers them for `target` and runs the graphs with `execute`. */
function tracingEngine(
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

async function cpuEngine({ threads = 0, profile }: OpenOptions): Promise<Engine> {
  const block = await blockSize();
  return tracingEngine(
    { name: 'cpu', device: processorName(), versions: versions() },
    (evaluation) => ({
      provider: 'cpu',
      layout: evaluation ? 'nchw' : block > 0 ? 'blocked' : 'nhwc',
      block,
    }),
    (graph) => cpuExecutable(graph, { threads, profile }),
  );
}

async function webgpuEngine(): Promise<Engine> {
  const adapters = await listAdapters();
  const engine = tracingEngine(
    { name: 'webgpu', device: deviceName(adapters), versions: versions() },
    () => ({ provider: 'gpu', layout: 'nhwc', block: 0 }),
    (graph) => webgpuExecutable(graph, lowerCopy),
  );
  try {
    await tryOut(engine);
  } catch (error) {
    throw new CotuneError(
      'unavailable',
      `ONNX Runtime's WebGPU provider does not start here: ${firstReason(error)}`,
      'It needs a graphics adapter with a Vulkan driver (Linux), Direct3D 12 (Windows) or Metal (macOS).',
      { cause: error },
    );
  }
  return engine;
}

const deviceName = ([adapter]: Adapter[]): string => {
  if (!adapter) return 'WebGPU adapter of unknown name';
  const memory = adapter.memory ? `, ${Math.round(adapter.memory / 2 ** 30)} GiB` : '';
  return `${adapter.name}${memory}`;
};

/** The runtime's own sentence, without its source location. */
const firstReason = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('was false. ').at(-1)!.trim();

let knownBlockSize: number | undefined;

/** Floats per block of ONNX Runtime's blocked layout on this processor; 0 where it has none. Found by trying. */
async function blockSize(): Promise<number> {
  if (knownBlockSize !== undefined) return knownBlockSize;
  try {
    const probe = await cpuExecutable(lowerBlockProbe(), { threads: 1 });
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

/** Adds 1 to 1 on the device. */
async function tryOut(engine: Engine): Promise<void> {
  const one = { shape: [1], dtype: 'float32' as const };
  const executable = await engine.compile({
    state: {},
    batch: { x: one },
    step: (_, { x }) => ({ state: {}, outputs: { y: tf.add(x, x) } }),
  });
  const { y } = await executable.run({ x: Float32Array.of(1) });
  await executable.dispose();
  if (y[0] !== 2) throw new Error('it computes wrong numbers on this adapter.');
}
