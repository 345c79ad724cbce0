import { CotuneError } from '../../../src-shared/errors.ts';
import { runtimeFailure } from './failure.ts';
import { ort } from './session.ts';

/** A model from a file, as other programs run it: on the processor, with nothing of this program's. */
export interface FileModel {
  inputs: readonly string[];
  outputs: readonly string[];
  /** One float32 tensor in, one out. */
  run(input: string, values: Float32Array, shape: number[], output: string): Promise<Float32Array>;
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
    async run(input, values, shape, output) {
      try {
        const results = await session.run({ [input]: new ort.Tensor('float32', values, shape) }, [output]);
        return results[output].data as Float32Array;
      } catch (error) {
        throw runtimeFailure(error, `${path} could not be run`);
      }
    },
    close: () => session.release(),
  };
}
