import type { InferenceSession } from 'onnxruntime-node';
import { CotuneError } from '../../../src-shared/errors.ts';
import type { Arrays, Executable } from '../engine.ts';
import {
  allocate,
  asTensor,
  checkValues,
  copyOut,
  type NamedTensors,
  openSession,
  type RunnableGraph,
} from './session.ts';

export interface CpuOptions {
  /** Threads inside one operator; 0 lets the runtime choose. */
  threads: number;
}

/**
 * Runs a graph on the CPU. State lives in two sets of buffers that take turns: one is the inputs of a step, the
 * other receives its outputs in place.
 */
export async function cpuExecutable(graph: RunnableGraph, options: CpuOptions): Promise<Executable> {
  const session = await openSession(graph.model, sessionOptions(options));
  const current: NamedTensors = {};
  const spare: NamedTensors = {};
  let disposed = false;
  const ports = new Map(graph.state.map((port) => [port.name, port]));
  for (const next of graph.nextState) spare[next.name] = asTensor(next, allocate(next));

  const portOf = (name: string) => {
    const port = ports.get(name);
    if (!port) throw new CotuneError('failed', `The program has no state tensor named «${name}».`);
    return port;
  };

  return {
    async load(state) {
      for (const [name, values] of Object.entries(state)) {
        const port = portOf(name);
        current[name] = asTensor(port, checkValues(port, values).slice());
      }
    },
    async run(batch) {
      const missing = graph.state.filter(({ name }) => !current[name]);
      if (missing.length > 0)
        throw new CotuneError(
          'failed',
          `State not loaded: ${missing
            .slice(0, 5)
            .map(({ name }) => name)
            .join(', ')}.`,
        );
      const feeds: NamedTensors = {};
      for (const { name, port } of graph.state) feeds[port] = current[name];
      for (const port of graph.batch) feeds[port.port] = asTensor(port, checkValues(port, batch[port.name]));
      const fetches: InferenceSession.FetchesType = {};
      const results: Arrays = {};
      for (const { name, port } of graph.nextState) (fetches as NamedTensors)[port] = spare[name];
      for (const output of graph.outputs) {
        results[output.name] = allocate(output);
        (fetches as NamedTensors)[output.port] = asTensor(output, results[output.name]);
      }
      await session.run(feeds, fetches);
      for (const { name } of graph.nextState) [current[name], spare[name]] = [spare[name], current[name]];
      return results;
    },
    async read(names = graph.state.map(({ name }) => name)) {
      return copyOut(
        names.map((name) => ({ ...portOf(name), port: name })),
        current,
      );
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      await session.release();
      for (const tensors of [current, spare]) for (const name of Object.keys(tensors)) delete tensors[name];
    },
  };
}

const sessionOptions = ({ threads }: CpuOptions): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
});
