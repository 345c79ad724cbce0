/** Which points lie inside of a drawn outline: even-odd rule. `points` and `outline` are pairs of x and y. */
export function inside(points: Float32Array, outline: readonly number[]): number[] {
  const found: number[] = [];
  const corners = outline.length / 2;
  for (let i = 0; i < points.length / 2; i++) {
    const [x, y] = [points[2 * i], points[2 * i + 1]];
    let isIn = false;
    for (let a = 0, b = corners - 1; a < corners; b = a++) {
      const [ax, ay, bx, by] = [outline[2 * a], outline[2 * a + 1], outline[2 * b], outline[2 * b + 1]];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isIn = !isIn;
    }
    if (isIn) found.push(i);
  }
  return found;
}
