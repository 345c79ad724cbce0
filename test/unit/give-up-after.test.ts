import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { giveUpAfter } from '../../src-main/trainer/give-up-after.ts';
import type { FromTrainer } from '../../src-main/trainer/protocol.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

/** A pass over 1,000 images of which `known` need none, at so many a second, to its end or until it is given up. */
function pass(seconds: number, perSecond: number, known = 0) {
  const told: FromTrainer[] = [];
  const watched = giveUpAfter(seconds, (message) => told.push(message));
  for (let done = known; done <= 1000 && !watched.signal.aborted; done += 50) {
    watched.report({ type: 'progress', phase: 'evaluate', done, total: 1000 });
    vi.advanceTimersByTime((1000 * 50) / perSecond);
  }
  return { told, expected: watched.expected(), aborted: watched.signal.aborted };
}

test('a pass within its time goes on to its end, and its progress is told', () => {
  const { told, expected, aborted } = pass(10, 110);
  expect({ expected, aborted }).toEqual({ expected: null, aborted: false });
  expect(told).toHaveLength(21);
});

test('a pass that will take longer ends as soon as that is known, and says what the rest would take', () => {
  const { told, expected, aborted } = pass(10, 90);
  expect(aborted).toBe(true);
  // Measured after two seconds, at whole reports of 50 images: 200 done, 800 left.
  expect(told).toHaveLength(5);
  expect(expected).toBeCloseTo(800 / 90, 5);
});

test('images that need no pass are no measure of it', () => {
  expect(pass(10, 30, 750).aborted).toBe(false);
  expect(pass(10, 20, 750).aborted).toBe(true);
  // All of them known, however long it took to see that.
  expect(pass(0, 1, 1000).aborted).toBe(false);
});
