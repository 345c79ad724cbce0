import type { ExportCheck } from '../../src-shared/contract.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import { sides } from '../../src-shared/names.ts';
import { openFileModel } from '../engine/run/run-model.ts';
import { openOnnx } from '../formats/weights/onnx.ts';
import { exportedInput, exportedOutput, exportTolerance } from './export-contract.ts';
import { testBatch, testPictures } from './test-vectors.ts';

/**
 * Runs an exported network's test vectors again, as other programs run it, one picture at a time and all at once. Errors:
 * `bad-input` where the file is no network that this program exported.
 */
export async function verifyExport(path: string): Promise<ExportCheck> {
  const { metadata } = openOnnx(path, path);
  const { side, expected, classes } = promised(path, metadata);
  const model = await openFileModel(path);
  try {
    if (!model.inputs.includes(exportedInput) || !model.outputs.includes(exportedOutput))
      throw foreign(path, `its input is ${model.inputs.join(', ')}`);
    const pixels = testBatch(side);
    const run = (values: Float32Array, pictures: number) =>
      model.run({ [exportedInput]: { values, shape: [pictures, side, side, 3] } }, exportedOutput);
    const together = await run(pixels, testPictures.length);
    const vectors = [];
    for (const [i, { name, tells }] of testPictures.entries()) {
      const one = pixels.subarray(i * side * side * 3, (i + 1) * side * side * 3);
      const alone = await run(one, 1);
      const differences = [...alone, ...together.subarray(i * classes, (i + 1) * classes)].map((p, k) =>
        Math.abs(p - expected[i][k % classes]),
      );
      const difference = differences.reduce((a, b) => Math.max(a, b), 0);
      vectors.push({ name, tells, difference, holds: difference <= exportTolerance });
    }
    return { path, size: side, classes, tolerance: exportTolerance, vectors };
  } finally {
    await model.close();
  }
}

/** What the file's metadata says of its input and its test vectors. */
function promised(path: string, metadata: Readonly<Record<string, string>>) {
  const side = Number(/^batch,(\d+),\1,3$/.exec(metadata.input_shape ?? '')?.[1]);
  let vectors: unknown;
  try {
    vectors = JSON.parse(metadata.test_vectors ?? 'null');
  } catch {
    vectors = null;
  }
  if (!(side > 0 && side <= sides.high) || !Array.isArray(vectors))
    throw foreign(path, 'its metadata has no test vectors');
  const expected = testPictures.map(({ name }) => {
    const vector = vectors.find((one) => one?.name === name)?.probabilities;
    if (!Array.isArray(vector) || vector.length === 0 || !vector.every(Number.isFinite))
      throw foreign(path, `its metadata has no test vector “${name}”`);
    return vector as number[];
  });
  return { side, expected, classes: expected[0].length };
}

const foreign = (path: string, why: string): CotuneError =>
  new CotuneError(
    'bad-input',
    `${path} is no network that this program exported: ${why}.`,
    'Export it again: cotune export RUN --format onnx --out FILE.',
  );
