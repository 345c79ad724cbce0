import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Arrays, Values } from '../engine.ts';
import { providers } from './providers.ts';
import {
  asTensor,
  checkValues,
  feedsOf,
  type NamedTensors,
  openSession,
  type Port,
  type RunnableGraph,
  runSession,
  type SessionExecutable,
  StatePorts,
} from './session.ts';
import { sharedStates } from './shared-state.ts';

/** Builds a model that hands tensors on unchanged. */
export type CopyModel = (ports: readonly Port[]) => { model: Uint8Array; inputs: Port[]; outputs: Port[] };

/** State in GPU buffers. */
interface GpuState {
  current: NamedTensors;
  /**
   * Sessions that loaded state, or whose graphs were disposed of while others run over it: a GPU buffer must not outlive the one that
   * made it, or freeing it would crash (1.30).
   */
  makers: InferenceSession[];
}

const states = sharedStates((): GpuState => ({ current: {}, makers: [] }));

/**
 * Runs a graph on the GPU through ONNX Runtime's WebGPU provider. State stays in GPU buffers from step to step: only the
 * batch goes up, and only what the program calls outputs comes down. State gets there and back through small copying
 * sessions, since reading such a tensor directly crashes the runtime (1.30). With `over` the state is that of another graph.
 */
export async function webgpuExecutable(
  graph: RunnableGraph,
  copyModel: CopyModel,
  over?: SessionExecutable,
): Promise<SessionExecutable> {
  const state = states.find(graph, over);
  const session = await openSession(
    graph.model,
    sessionOptions(Object.fromEntries(graph.nextState.map(({ port }) => [port, 'gpu-buffer']))),
    graph.apart,
  );
  const ports = new StatePorts(graph);
  const { current, makers } = state;
  let disposed = false;

  async function unload(): Promise<void> {
    for (const name of Object.keys(current)) {
      current[name].dispose();
      delete current[name];
    }
    for (const maker of makers.splice(0)) await maker.release();
  }

  /** A session that takes state tensors by name and hands copies on, in the memory asked for. */
  async function openCopying(names: readonly string[], to: Tensor.DataLocation) {
    const { model, inputs, outputs } = copyModel(names.map((name) => ports.get(name)));
    const copying = await openSession(
      model,
      sessionOptions(Object.fromEntries(outputs.map(({ port }) => [port, to]))),
    );
    return {
      session: copying,
      async copy(tensors: NamedTensors): Promise<NamedTensors> {
        const feeds = Object.fromEntries(inputs.map(({ name, port }) => [port, tensors[name]]));
        const copies = await runSession(copying, feeds);
        return Object.fromEntries(outputs.map(({ name, port }) => [name, copies[port]]));
      },
    };
  }

  const executable: SessionExecutable = {
    async load(state) {
      const values = Object.entries(state).map(([name, given]) => {
        const port = ports.get(name);
        return [name, asTensor(port, checkValues(port, given))] as const;
      });
      if (values.length === 0) return;
      const { session: loader, copy } = await openCopying(Object.keys(state), 'gpu-buffer');
      makers.push(loader);
      for (const [name, tensor] of Object.entries(await copy(Object.fromEntries(values)))) {
        current[name]?.dispose();
        current[name] = tensor;
      }
    },
    async run(batch) {
      const results = await runSession(session, feedsOf(graph, current, batch));
      for (const { name, port } of graph.nextState) {
        current[name].dispose();
        current[name] = results[port];
      }
      return Object.fromEntries(
        graph.outputs.map(({ name, port }) => [name, (results[port].data as Values).slice()]),
      ) as Arrays;
    },
    async read(names = ports.names) {
      if (names.length === 0) return {};
      const { session: copying, copy } = await openCopying(names, 'cpu');
      try {
        const copies = Object.entries(await copy(current));
        return Object.fromEntries(copies.map(([name, tensor]) => [name, (tensor.data as Values).slice()]));
      } finally {
        await copying.release();
      }
    },
    unload,
    async dispose() {
      if (disposed) return;
      disposed = true;
      // What it made is there until no other needs it.
      makers.push(session);
      if (states.leave(state)) await unload();
    },
  };
  states.enter(executable, state);
  return executable;
}

const sessionOptions = (
  preferredOutputLocation: Record<string, Tensor.DataLocation>,
): InferenceSession.SessionOptions => ({
  ...providers.webgpu.options,
  graphOptimizationLevel: 'all',
  preferredOutputLocation,
});
