import type * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { resizedPositions } from '../../src-main/backbones/positions.ts';
import recorded from '../fixtures/positions.json' with { type: 'json' };
import { agrees, outputsOf } from './terms.ts';

test.each(recorded.cases)(
  'positions of $grid by $grid patches become those of $rows by $columns as PyTorch’s antialiased bicubic interpolation has it',
  async ({ grid, rows, columns, positions, resized }) => {
    const { found } = await outputsOf({ positions: [positions] }, (held) => ({
      found: resizedPositions(held.positions as tf.Tensor3D, grid, [rows, columns]),
    }));
    // The class token's stays as it is.
    agrees(found, [positions[0], ...resized]);
  },
);

test('positions of as many patches stay the very same tensor', async () => {
  const [{ positions }] = recorded.cases;
  await outputsOf({ positions: [positions] }, (held) => {
    expect(resizedPositions(held.positions as tf.Tensor3D, 4, [4, 4])).toBe(held.positions);
    return { same: held.positions };
  });
});
