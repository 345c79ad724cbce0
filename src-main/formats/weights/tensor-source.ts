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
  /** One tensor as float32, row-major; other element types are converted. Throws `bad-input` where it is absent or damaged. */
  read(tensor: string): Float32Array;
}
