import { type NamedSpec, OnnxGraph } from './lower/onnx-graph.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';

/**
 * Products with a block [k, k] for every column of matrices [k, columns]: blocks that are a diagonal and, for some of the columns, a
 * thin factor besides. Single precision, row-major.
 */
export interface BlockProducts {
  /** out [count, rank, rank]: block j is U_j diag(s_j) U_jᵀ for U [count, rank, k] and s [count, k]. */
  inner(u: Float32Array, s: Float32Array, out: Float32Array): Promise<void>;
  /** out [count, rank, k]: block j is L_j U_j diag(s_j) for L [count, rank, rank]. */
  scaled(l: Float32Array, u: Float32Array, s: Float32Array, out: Float32Array): Promise<void>;
  /** Column j of `out` [k, columns] is block j times column j of `r`. */
  times(blocks: Blocks, r: Float32Array, out: Float32Array): Promise<void>;
  dispose(): Promise<void>;
}

/** Block j is diag s_j; for the columns j = factored_c it is diag s_j + A_cᵀ A_c. */
export interface Blocks {
  /** s [columns, k] */
  scale: Float32Array;
  /** The columns that have a factor [count], in growing order. */
  factored: BigInt64Array;
  /** A [count, rank, k] */
  factors: Float32Array;
}

/** Opens such products, run by ONNX Runtime on the CPU. */
export function openBlockProducts(k: number, columns: number): BlockProducts {
  const sessions = openSessionSet();
  const run = async (
    build: (graph: OnnxGraph, extents: Extents) => void,
    { count, rank }: Pick<Extents, 'count' | 'rank'>,
    given: Record<string, Float32Array | BigInt64Array>,
    [out, into]: [keyof ReturnType<typeof shapesOf>, Float32Array],
  ) => {
    const extents = { k, columns, count, rank };
    const shapes: Record<string, number[]> = shapesOf(extents);
    const session = await sessions.get(`${out} ${count} ${rank}`, () => {
      const graph = new OnnxGraph();
      build(graph, extents);
      const spec = (name: string, data: Float32Array | BigInt64Array): NamedSpec => ({
        name,
        shape: shapes[name],
        dtype: data instanceof Float32Array ? 'float32' : 'int64',
      });
      const inputs = Object.entries(given).map(([name, data]) => spec(name, data));
      return graph.toBytes(inputs, [spec(out, into)], { intoGiven: true });
    });
    const tensor = (name: string, data: Float32Array | BigInt64Array) =>
      data instanceof Float32Array
        ? new ort.Tensor('float32', data, shapes[name])
        : new ort.Tensor('int64', data, shapes[name]);
    const feeds = Object.entries(given).map(([name, data]) => [name, tensor(name, data)]);
    await runInto(session, Object.fromEntries(feeds), { [out]: tensor(out, into) });
  };
  const extentsOf = (factors: Float32Array, count: number) => ({ count, rank: factors.length / (count * k) });
  return {
    inner: (u, s, out) => run(innerGraph, extentsOf(u, s.length / k), { u, s }, ['squares', out]),
    scaled: (l, u, s, out) => run(scaledGraph, extentsOf(u, s.length / k), { l, u, s }, ['a', out]),
    times: ({ scale, factored, factors: a }, r, out) =>
      run(timesGraph, extentsOf(a, factored.length), { scale, factored, a, r }, ['product', out]),
    dispose: () => sessions.dispose(),
  };
}

interface Extents {
  k: number;
  columns: number;
  count: number;
  rank: number;
}

const shapesOf = ({ k, columns, count, rank }: Extents) => ({
  scale: [columns, k],
  factored: [count],
  s: [count, k],
  r: [k, columns],
  product: [k, columns],
  u: [count, rank, k],
  a: [count, rank, k],
  l: [count, rank, rank],
  squares: [count, rank, rank],
});

const scaledRows = (graph: OnnxGraph, { k, count }: Extents): string =>
  graph.op('Mul', ['u', graph.op('Reshape', ['s', graph.ints([count, 1, k])])]);

function innerGraph(graph: OnnxGraph, extents: Extents): void {
  graph.named('squares', 'FusedMatMul', ['u', scaledRows(graph, extents)], { transB: 1 }, 'com.microsoft');
}

function scaledGraph(graph: OnnxGraph, extents: Extents): void {
  graph.named('a', 'MatMul', ['l', scaledRows(graph, extents)]);
}

function timesGraph(graph: OnnxGraph, { k, count, rank }: Extents): void {
  const shaped = (value: string, ...shape: number[]) => graph.op('Reshape', [value, graph.ints(shape)]);
  const turned = graph.op('Transpose', ['r'], { perm: [1, 0] });
  const own = graph.op('Gather', [turned, 'factored']);
  const inner = graph.op('MatMul', ['a', shaped(own, count, k, 1)]);
  const outer = graph.op('MatMul', [shaped(inner, count, 1, rank), 'a']);
  const sum = graph.op(
    'ScatterND',
    [graph.op('Mul', ['scale', turned]), shaped('factored', count, 1), shaped(outer, count, k)],
    { reduction: 'add' },
  );
  graph.named('product', 'Transpose', [sum], { perm: [1, 0] });
}
