import { expect, test } from 'vitest';
import { OnnxGraph } from '../../src-main/engine/lower/onnx-graph.ts';
import { asTensor, openSession, ort, runInto } from '../../src-main/engine/run/session.ts';

const spec = { shape: [3], dtype: 'float32' as const };
const given = asTensor(spec, Float32Array.of(1, 2, 3));

/** Twice `x`, and `x` plus one. */
function open(intoGiven: boolean) {
  const graph = new OnnxGraph();
  graph.named('twice', 'Add', ['x', 'x']);
  graph.named('more', 'Add', ['x', graph.scalar(1)]);
  const outputs = ['twice', 'more'].map((name) => ({ name, ...spec }));
  const model = graph.toBytes([{ name: 'x', ...spec }], outputs, { intoGiven });
  return openSession(model, { executionProviders: ['cpu'] });
}

test.each([false, true])(
  'results go into memory that is given for them (intoGiven %s)',
  async (intoGiven) => {
    const session = await open(intoGiven);
    const results = { twice: new Float32Array(3), more: new Float32Array(3) };
    const tensors = { twice: asTensor(spec, results.twice), more: asTensor(spec, results.more) };
    await runInto(session, { x: given }, tensors);
    expect([...results.twice, ...results.more]).toEqual([2, 4, 6, 2, 3, 4]);
    await session.release();
  },
);

test('the runtime refuses to hand out the first output of such a graph, and so copies none', async () => {
  const session = await open(true);
  expect(session.outputNames).toEqual(['uncopied', 'twice', 'more']);
  await expect(session.run({ x: given })).rejects.toThrow(/^Non tensor type is temporarily not supported\.$/);
  await session.release();
});

test('what else is wrong with a run is said', async () => {
  const session = await open(true);
  const wrong = new ort.Tensor('float32', new Float32Array(2), [2]);
  const results = { twice: asTensor(spec, new Float32Array(3)), more: asTensor(spec, new Float32Array(3)) };
  await expect(runInto(session, { x: wrong }, results)).rejects.toThrow(
    /could not run a step: .*invalid dimensions for input: x/s,
  );
  await session.release();
});
