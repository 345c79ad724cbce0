/**
 * The seam between the product and what executes it. A program is a pure function written in tf.js ops; an
 * engine compiles it once and runs it many times. Layouts, devices and buffers are the engine's own business.
 */
import type { Tensor } from '@tensorflow/tfjs-core';

export type DataType = 'float32' | 'int32';
export type Values = Float32Array | Int32Array;

/** Shape (row-major, tf.js conventions: NHWC images, HWIO kernels) and element type of one named tensor. */
export interface TensorSpec {
  shape: number[];
  dtype: DataType;
}

export type Specs = Record<string, TensorSpec>;
export type Tensors = Record<string, Tensor>;
export type Arrays = Record<string, Values>;

/**
 * A pure step: (state, batch) → (new state, outputs). `state` is carried from run to run inside the engine
 * (parameters, optimizer slots, running statistics); `batch` is fed at every run (images, labels, learning
 * rate as a shape-[] tensor). Names missing from the returned `state` stay as they were.
 */
export interface Program {
  state: Specs;
  batch: Specs;
  step(state: Tensors, batch: Tensors): StepResult;
}

export interface StepResult {
  state: Tensors;
  outputs: Tensors;
  /**
   * Values that say how the step went (the norm of the gradient, a penalty's value): they come out among the outputs, but do
   * not count as forward pass, which decides what is kept in memory from it for the gradient. No output has such a name.
   */
  diagnosis?: Tensors;
}

export interface CompileOptions {
  /** State values known never to change (evaluation): baked into the graph so that they can be folded. */
  constants?: Arrays;
  /**
   * Whether the arrays of `constants` become the program's, as those of `load` do: it brings large ones into another order where they
   * are, and frees those that it has copied.
   */
  consumes?: boolean;
  /**
   * Disposal sets the compiled program aside, without its state, for the next compilation of the very same one; compiling
   * another program that is to be kept closes it. Programs with constants are never kept.
   */
  keep?: boolean;
  /**
   * A program compiled before whose state this one is to run over: a step of either goes on from what the other left, `load` and `read`
   * of either are both's. Both declare the same state.
   */
  over?: Compiled;
  /** Whether other threads of this process work while it runs, on its batches: it then leaves them idle processors at once. */
  yields?: boolean;
}

/** A compiled program with its state. One run at a time. */
export interface Executable {
  /**
   * Sets state tensors by name; every state tensor must be set before the first run. The arrays become the executable's,
   * which writes the next state into them.
   */
  load(state: Arrays): Promise<void>;
  /** One step: advances the state, returns the outputs (copied out, the caller's to keep). */
  run(batch: Arrays): Promise<Arrays>;
  /** Copies state tensors out, all of them or those named. */
  read(names?: readonly string[]): Promise<Arrays>;
  dispose(): Promise<void>;
}

/** Seconds that each room took to compile a program; all zero where an engine runs op by op. */
export interface CompileSeconds {
  trace: number;
  lower: number;
  session: number;
}

/** What `compile` returns. */
export interface Compiled extends Executable {
  readonly compileSeconds: CompileSeconds;
}

export type EngineName = 'cpu' | 'webgpu' | 'cuda' | 'directml' | 'coreml' | 'tensorflow' | 'reference';

/** What runs the program: recorded with every run. */
export interface EngineInfo {
  name: EngineName;
  /** Adapter or processor, as the system names it. */
  device: string;
  /** Versions of what matters for repeating a result, e.g. { onnxruntime: '1.30.0' }. */
  versions: Record<string, string>;
}

export interface Engine {
  readonly info: EngineInfo;
  /** Why `auto` took this one, for the run's record; absent where there was nothing to choose. */
  readonly choice?: string;
  compile(program: Program, options?: CompileOptions): Promise<Compiled>;
  dispose(): Promise<void>;
}
