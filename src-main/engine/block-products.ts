import { OnnxGraph } from './lower/onnx-graph.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';

/**
 * Products with a block [k, k] for every column of matrices [k, columns]: blocks that are a diagonal and a thin factor.
 * Single precision, row-major.
 */
export interface BlockProducts {
  /** out [columns, rank, rank]: block j is U_j diag(s_j) U_jᵀ for U [columns, rank, k] and s [columns, k]. */
  inner(u: Float32Array, s: Float32Array, out: Float32Array): Promise<void>;
  /** out [columns, rank, k]: block j is L_j U_j diag(s_j) for L [columns, rank, rank]. */
  scaled(l: Float32Array, u: Float32Array, s: Float32Array, out: Float32Array): Promise<void>;
  /** Column j of `out` [k, columns] is (diag s_j + A_jᵀ A_j) times column j of `r`, for A [columns, rank, k] and s [columns, k]. */
  times(s: Float32Array, a: Float32Array, r: Float32Array, out: Float32Array): Promise<void>;
  dispose(): Promise<void>;
}

/** Opens such products, run by ONNX Runtime on the CPU. */
export function openBlockProducts(k: number, columns: number): BlockProducts {
  const sessions = openSessionSet();
  const shapes = (rank: number): Record<string, number[]> => ({
    s: [columns, k],
    r: [k, columns],
    product: [k, columns],
    u: [columns, rank, k],
    a: [columns, rank, k],
    l: [columns, rank, rank],
    squares: [columns, rank, rank],
  });
  const run = async (
    build: typeof innerGraph,
    given: Record<string, Float32Array>,
    out: string,
    into: Float32Array,
  ) => {
    const rank = (given.u ?? given.a).length / (k * columns);
    const shapeOf = shapes(rank);
    const tensor = (name: string, data: Float32Array) => new ort.Tensor('float32', data, shapeOf[name]);
    const session = await sessions.get(`${out} ${rank}`, () => {
      const graph = new OnnxGraph();
      build(graph, { k, columns, rank });
      const spec = (name: string) => ({ name, shape: shapeOf[name], dtype: 'float32' }) as const;
      return graph.toBytes(Object.keys(given).map(spec), [spec(out)], { intoGiven: true });
    });
    const feeds = Object.entries(given).map(([name, data]) => [name, tensor(name, data)]);
    await runInto(session, Object.fromEntries(feeds), { [out]: tensor(out, into) });
  };
  return {
    inner: (u, s, out) => run(innerGraph, { u, s }, 'squares', out),
    scaled: (l, u, s, out) => run(scaledGraph, { l, u, s }, 'a', out),
    times: (s, a, r, out) => run(timesGraph, { s, a, r }, 'product', out),
    dispose: () => sessions.dispose(),
  };
}

interface Extents {
  k: number;
  columns: number;
  rank: number;
}

const scaledRows = (graph: OnnxGraph, { k, columns }: Extents): string =>
  graph.op('Mul', ['u', graph.op('Reshape', ['s', graph.ints([columns, 1, k])])]);

function innerGraph(graph: OnnxGraph, extents: Extents): void {
  graph.named('squares', 'FusedMatMul', ['u', scaledRows(graph, extents)], { transB: 1 }, 'com.microsoft');
}

function scaledGraph(graph: OnnxGraph, extents: Extents): void {
  graph.named('a', 'MatMul', ['l', scaledRows(graph, extents)]);
}

function timesGraph(graph: OnnxGraph, { k, columns, rank }: Extents): void {
  const shaped = (value: string, ...shape: number[]) => graph.op('Reshape', [value, graph.ints(shape)]);
  const turned = graph.op('Transpose', ['r'], { perm: [1, 0] });
  const inner = graph.op('MatMul', ['a', shaped(turned, columns, k, 1)]);
  const outer = graph.op('MatMul', [shaped(inner, columns, 1, rank), 'a']);
  const sum = graph.op('Add', [graph.op('Mul', ['s', turned]), shaped(outer, columns, k)]);
  graph.named('product', 'Transpose', [sum], { perm: [1, 0] });
}
