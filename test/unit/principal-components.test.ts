import { expect, test } from 'vitest';
import { randomOf } from '../../src-main/data/random.ts';
import { principalComponents } from '../../src-main/transfer/principal-components.ts';

test('components are orthogonal, fall in size, and hold the variance of the directions that rows were made of', () => {
  const [rows, columns] = [600, 12];
  const random = randomOf(3, 'rows');
  // Spread 8, 4, 2 along three axes that are turned by a Householder reflection, a little noise elsewhere; far from the origin.
  const spread = [8, 4, 2, ...new Array<number>(columns - 3).fill(0.1)];
  const normal = spread.map((_, j) => Math.sin(j + 1));
  const square = normal.reduce((sum, value) => sum + value ** 2, 0);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const row = spread.map((scale) => scale * (random() + random() + random() - 1.5) * 2);
    const along = row.reduce((sum, value, j) => sum + value * normal[j], 0);
    for (let j = 0; j < columns; j++) data[i * columns + j] = 100 + row[j] - (2 * along * normal[j]) / square;
  }
  const { components, values } = principalComponents(data, columns, 3);
  expect(components).toBe(3);
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += values[i * 3 + a] * values[i * 3 + b];
    return sum / rows;
  };
  // The sum of three uniform numbers, doubled, has variance 1. Of 600 draws a variance is within a tenth or so.
  for (const [k, scale] of [8, 4, 2].entries()) expect(dot(k, k) / scale ** 2).toBeCloseTo(1, 0);
  expect(Math.abs(dot(0, 1)) / Math.sqrt(dot(0, 0) * dot(1, 1))).toBeLessThan(0.02);
  expect(Math.abs(dot(1, 2)) / Math.sqrt(dot(1, 1) * dot(2, 2))).toBeLessThan(0.02);
});

test('there are no more components than rows or columns', () => {
  expect(principalComponents(Float32Array.of(1, 2, 3, 4), 2, 30).components).toBe(2);
  expect(principalComponents(Float32Array.of(1, 2, 3), 3, 30).components).toBe(1);
});
