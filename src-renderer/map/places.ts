/** Two of `components` columns as places within −1 to 1, proportions as they are: [rows, 2]. */
export function placesOf(values: Float32Array, components: number): Float32Array {
  const rows = values.length / components;
  const places = new Float32Array(2 * rows);
  const low = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < rows; i++)
    for (let axis = 0; axis < 2; axis++) {
      const value = axis < components ? values[i * components + axis] : 0;
      places[2 * i + axis] = value;
      low[axis] = Math.min(low[axis], value);
      high[axis] = Math.max(high[axis], value);
    }
  const half = Math.max(high[0] - low[0], high[1] - low[1], 1e-12) / 2;
  for (let i = 0; i < places.length; i++) places[i] = (places[i] - (low[i % 2] + high[i % 2]) / 2) / half;
  return places;
}
