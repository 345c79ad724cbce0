import { expect, test } from 'vitest';
import { lower } from '../../src-main/engine/lower/lower.ts';
import { trace } from '../../src-main/engine/trace/trace.ts';
import { wholeStep } from '../parity/whole-step.ts';

const size = ({ shape }: { shape: number[] }) => shape.reduce((product, extent) => product * extent, 1);

test('a training step takes its batch up and brings single numbers down; what it does not change is no result', () => {
  const program = wholeStep('resnet18', 'symmetric');
  const target = { provider: 'gpu', layout: 'nhwc', block: 0 } as const;
  const { batch, outputs, nextState, state } = lower(trace(program), target);
  expect(batch.map(({ name }) => name).sort()).toEqual(Object.keys(program.batch).sort());
  expect(outputs.map(size)).toEqual(outputs.map(() => 1));
  expect(state.map(({ name }) => name)).toContain('cotuning/relationship');
  expect(nextState.map(({ name }) => name)).not.toContain('cotuning/relationship');
  expect(nextState).toHaveLength(state.length - 1);
});
