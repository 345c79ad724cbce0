import { OnnxGraph } from './lower/onnx-graph.ts';
import { openSession } from './run/session.ts';

/** Opens a session of next to nothing: the first one of a process takes 25 ms, in which the runtime gets ready, all others one. */
export async function startRuntime(): Promise<void> {
  const graph = new OnnxGraph();
  const of = { shape: [], dtype: 'float32' } as const;
  graph.named('same', 'Identity', ['given']);
  const model = graph.toBytes([{ name: 'given', ...of }], [{ name: 'same', ...of }]);
  const session = await openSession(model, { executionProviders: ['cpu'] });
  await session.release();
}
