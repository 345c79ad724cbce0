/** Real numbers in single or double precision. */
export type Reals = Float32Array | Float64Array;
export type Precision = 'float32' | 'float64';

export const precisionOf = (values: Reals): Precision =>
  values instanceof Float64Array ? 'float64' : 'float32';

/** The array that holds numbers of a precision. */
export const arrayOf = (precision: Precision) => (precision === 'float64' ? Float64Array : Float32Array);
