import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Arrays, Executable, Values } from '../engine.ts';
import {
  asTensor,
  checkValues,
  feedsOf,
  type NamedTensors,
  openSession,
  type Port,
  type RunnableGraph,
  StatePorts,
} from './session.ts';

/** Builds a model that hands tensors on unchanged. */
export type CopyModel = (ports: readonly Port[]) => { model: Uint8Array; inputs: Port[]; outputs: Port[] };

/**
 * Runs a graph on the GPU through ONNX Runtime's WebGPU provider. State stays in GPU buffers from step to step; it
 * gets there and back through small copying sessions, since reading such a tensor directly crashes the runtime (1.30).
 */
export async function webgpuExecutable(graph: RunnableGraph, copyModel: CopyModel): Promise<Executable> {
  const session = await openSession(
    graph.model,
    sessionOptions(Object.fromEntries(graph.nextState.map(({ port }) => [port, 'gpu-buffer']))),
  );
  const ports = new StatePorts(graph);
  const current: NamedTensors = {};
  let disposed = false;

  /** Copies tensors through the GPU: host tensors become GPU buffers, or the reverse. */
  async function copy(tensors: NamedTensors, to: 'cpu' | 'gpu-buffer'): Promise<NamedTensors> {
    const { model, inputs, outputs } = copyModel(Object.keys(tensors).map((name) => ports.get(name)));
    const copying = await openSession(
      model,
      sessionOptions(Object.fromEntries(outputs.map(({ port }) => [port, to]))),
    );
    try {
      const feeds = Object.fromEntries(inputs.map(({ name, port }) => [port, tensors[name]]));
      const copies = await copying.run(feeds);
      return Object.fromEntries(outputs.map(({ name, port }) => [name, copies[port] as Tensor]));
    } finally {
      await copying.release();
    }
  }

  return {
    async load(state) {
      const values = Object.entries(state).map(([name, given]) => {
        const port = ports.get(name);
        return [name, asTensor(port, checkValues(port, given))] as const;
      });
      if (values.length === 0) return;
      for (const [name, tensor] of Object.entries(await copy(Object.fromEntries(values), 'gpu-buffer'))) {
        current[name]?.dispose();
        current[name] = tensor;
      }
    },
    async run(batch) {
      const results = await session.run(feedsOf(graph, current, batch));
      for (const { name, port } of graph.nextState) {
        current[name].dispose();
        current[name] = results[port] as Tensor;
      }
      return Object.fromEntries(
        graph.outputs.map(({ name, port }) => [name, (results[port].data as Values).slice()]),
      ) as Arrays;
    },
    async read(names = ports.names) {
      if (names.length === 0) return {};
      const wanted = Object.fromEntries(names.map((name) => [name, current[ports.get(name).name]]));
      const copies = Object.entries(await copy(wanted, 'cpu'));
      return Object.fromEntries(copies.map(([name, tensor]) => [name, (tensor.data as Values).slice()]));
    },
    async dispose() {
      if (disposed) return;
      disposed = true;
      for (const name of Object.keys(current)) {
        current[name].dispose();
        delete current[name];
      }
      await session.release();
    },
  };
}

const sessionOptions = (
  preferredOutputLocation: Record<string, Tensor.DataLocation>,
): InferenceSession.SessionOptions => ({
  executionProviders: ['webgpu'],
  graphOptimizationLevel: 'all',
  preferredOutputLocation,
});
