import type { Matrix } from '../../src-shared/matrix.ts';
import { OnnxGraph, onnxTypes } from './lower/onnx-graph.ts';
import { type Precision, precisionOf, type Reals } from './reals.ts';
import { ort, runInto } from './run/session.ts';
import { openSessionSet } from './run/session-set.ts';
import { addSoftmax } from './softmax-columns.ts';

/** Elements of the rows that are taken together: what lies between logits and probabilities stays in a processor's cache. */
const elementsAtOnce = 2 ** 16;

/** softmax(scale · logits), row by row, in double precision, run by ONNX Runtime on the CPU. */
export async function softmaxRows(
  { data, rows, columns }: Matrix,
  scale: number,
): Promise<Matrix & { data: Float64Array }> {
  const dtype = precisionOf(data);
  const out = new Float64Array(data.length);
  const sessions = openSessionSet();
  try {
    const rowsAtOnce = Math.max(1, Math.floor(elementsAtOnce / columns));
    for (let row = 0; row < rows; row += rowsAtOnce) {
      const count = Math.min(rowsAtOnce, rows - row);
      const session = await sessions.get(`${count}`, () => softmaxGraph(count, columns, dtype));
      const part = (of: Reals) => of.subarray(row * columns, (row + count) * columns);
      await runInto(
        session,
        {
          logits: new ort.Tensor(dtype, part(data), [count, columns]),
          scale: new ort.Tensor('float64', [scale], []),
        },
        { q: new ort.Tensor('float64', part(out), [count, columns]) },
      );
    }
  } finally {
    await sessions.dispose();
  }
  return { data: out, rows, columns };
}

function softmaxGraph(rows: number, columns: number, dtype: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const exact = dtype === 'float64' ? 'logits' : graph.op('Cast', ['logits'], { to: onnxTypes.float64 });
  addSoftmax(graph, graph.op('Mul', [exact, 'scale']), 1);
  const shape = [rows, columns];
  return graph.toBytes(
    [
      { name: 'logits', shape, dtype },
      { name: 'scale', shape: [], dtype: 'float64' },
    ],
    [{ name: 'q', shape, dtype: 'float64' }],
    { intoGiven: true },
  );
}
