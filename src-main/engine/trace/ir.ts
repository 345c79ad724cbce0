/**
 * What a traced program is: a list of tf.js kernels over named inputs and constants, in execution order. Shapes
 * are static and mean what they mean in tf.js (NHWC images, HWIO kernels).
 */

export type ElementType = 'float32' | 'int32' | 'bool';

interface Typed {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
}

/** A tensor fed from outside under its name in the program. */
export interface InputValue extends Typed {
  readonly kind: 'input';
  readonly role: 'state' | 'batch';
  readonly name: string;
  /** Where it is a part of another state tensor, in its memory: of which one, and from which of its elements on. */
  readonly part?: { readonly of: string; readonly from: number };
}

/** A tensor known at trace time. `fill` is set where all its elements are equal. */
export interface ConstantValue extends Typed {
  readonly kind: 'constant';
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly fill: number | null;
  /** Whether nobody else reads the data: it may be overwritten by whoever is the last to use it. */
  readonly isOurs?: boolean;
  /** A factor for every output channel with which the data, a filter's, are still to be multiplied. */
  readonly factors?: Float32Array;
}

/** An output of a recorded kernel. */
export interface ResultValue extends Typed {
  readonly kind: 'result';
  readonly node: Node;
}

export type Value = InputValue | ConstantValue | ResultValue;

/** One kernel call. Inputs carry tf.js's names (`x`, `filter`, …); kernels over lists use '0', '1', …. */
export interface Node {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly outputs: ResultValue[];
}

/** A traced program. `state` holds only the tensors that a step changes. */
export interface Trace {
  readonly inputs: InputValue[];
  readonly nodes: Node[];
  readonly state: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** Outputs that the forward pass does not end in. */
  readonly diagnosis: ReadonlyMap<string, Value>;
}

/** Number of elements of a shape. */
export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);
