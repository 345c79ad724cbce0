import { CotuneError } from '../../../src-shared/errors.ts';
import { DamagedFile } from '../file-bytes.ts';

/** A tensor as its file describes it; nothing of it is read yet. */
export interface TensorSpec {
  shape: readonly number[];
  /** Element type in safetensors' words: F32, F16, BF16, F64, I64, … */
  dtype: string;
}

/** Named tensors, whatever kind of file they come from. */
export interface TensorSource {
  /** What messages call it: the path that a person gave. */
  readonly name: string;
  /** Strings that the file holds beside its tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorSpec>;
  /** What a person should know about how the file was read. */
  readonly notes: readonly string[];
  /** One tensor as float32, row-major; other element types are converted. Throws `bad-input` where it is absent or damaged. */
  read(tensor: string): Float32Array;
}

/** What `work` returns; damage is said as `bad-input` of a file called `name` that should be a `kind`. */
export function orRefusal<T>(name: string, kind: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DamagedFile)) throw error;
    throw new CotuneError(
      'bad-input',
      `${name} is no sound ${kind}: ${error.message}.`,
      'Download or export it again.',
      { cause: error },
    );
  }
}
