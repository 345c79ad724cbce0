import { CotuneError } from '../../../src-shared/errors.ts';
import { runtimeFailure } from './failure.ts';
import { ort } from './session.ts';

interface FedTensor {
  values: Float32Array | BigInt64Array;
  shape: number[];
}

/** A model from a file, as other programs run it: on the processor, with nothing of this program's. */
export interface FileModel {
  inputs: readonly string[];
  outputs: readonly string[];
  /** Tensors in by their names, one of float32 out. */
  run(inputs: Record<string, FedTensor>, output: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Errors: `bad-input` where the file is no model that ONNX Runtime takes. */
export async function openFileModel(path: string): Promise<FileModel> {
  const session = await ort.InferenceSession.create(path).catch((error: Error) => {
    throw new CotuneError(
      'bad-input',
      `${path} is no ONNX model that can be run: ${error.message}.`,
      'Export it again.',
      { cause: error },
    );
  });
  return {
    inputs: session.inputNames,
    outputs: session.outputNames,
    async run(inputs, output) {
      const fed = Object.entries(inputs).map(([name, { values, shape }]) => [name, tensorOf(values, shape)]);
      try {
        const results = await session.run(Object.fromEntries(fed), [output]);
        return results[output].data as Float32Array;
      } catch (error) {
        throw runtimeFailure(error, `${path} could not be run`);
      }
    },
    close: () => session.release(),
  };
}

const tensorOf = (values: FedTensor['values'], shape: number[]) =>
  values instanceof Float32Array
    ? new ort.Tensor('float32', values, shape)
    : new ort.Tensor('int64', values, shape);
