import { expect, test } from 'vitest';
import { createBackbone } from '../../src-main/backbones/index.ts';
import { newHead } from '../../src-main/transfer/initial-state.ts';

const headOf = (architecture: string) => {
  const backbone = createBackbone({ architecture, padding: 'symmetric', width: 1 });
  const network = { backbone, batchNormEpsilon: 1e-5, sourceClasses: 7, targetClasses: 3 };
  return newHead(network, 0)['target.bias'];
};

test('a new head begins without a bias; where a ReLU follows its scores, well above zero, so that no class is without a gradient', () => {
  expect([...headOf('resnet18')]).toEqual([0, 0, 0]);
  expect([...headOf('squeezenet1_1')]).toEqual([5, 5, 5]);
});
