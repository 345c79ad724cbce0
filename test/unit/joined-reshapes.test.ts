import { describe, expect, test } from 'vitest';
import { type Name, OnnxGraph } from '../../src-main/engine/lower/onnx-graph.ts';
import { openSession, ort, runSession } from '../../src-main/engine/run/session.ts';

const values = Float32Array.from({ length: 12 }, (_, at) => at);

/** How many reshapes the runtime gets of a graph over a [12], and what comes out of it. */
async function made(build: (graph: OnnxGraph) => Name, shape: readonly number[]) {
  const graph = new OnnxGraph();
  graph.export(build(graph), 'out');
  const float = (name: Name, extents: readonly number[]) =>
    ({ name, shape: extents, dtype: 'float32' }) as const;
  const model = graph.toBytes([float('x', [12])], [float('out', shape)]);
  const session = await openSession(model, { graphOptimizationLevel: 'disabled' });
  const { out } = await runSession(session, { x: new ort.Tensor('float32', values, [12]) });
  await session.release();
  // The type of a node: field 4, seven letters.
  const reshapes = Buffer.from(model).toString('latin1').split('\x22\x07Reshape').length - 1;
  return { reshapes, shape: out.dims, values: out.data };
}

const to = (graph: OnnxGraph, x: Name, shape: number[]) => graph.op('Reshape', [x, graph.ints(shape)]);

describe('reshapes of reshapes', () => {
  test('are one where nothing else takes what lies between, also where extents are taken over from it', async () => {
    const chain = (graph: OnnxGraph) => to(graph, to(graph, to(graph, 'x', [6, 2]), [3, 4]), [0, 2, -1]);
    expect(await made(chain, [3, 2, 2])).toEqual({ reshapes: 1, shape: [3, 2, 2], values });
  });

  test('stay where something else takes what lies between', async () => {
    const branch = (graph: OnnxGraph) => {
      const between = to(graph, 'x', [6, 2]);
      return graph.op('Sub', [
        to(graph, graph.op('Add', [between, between]), [12]),
        to(graph, between, [12]),
      ]);
    };
    expect(await made(branch, [12])).toEqual({ reshapes: 3, shape: [12], values });
  });
});
