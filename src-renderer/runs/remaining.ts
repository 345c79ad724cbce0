import type { Run } from '../../src-shared/domain.ts';
import { duration } from '../format.ts';

/** What a run still needs, from the pace of its training steps so far; the phase's name outside training. */
export function remaining(run: Run, now = Date.now()): string {
  if (run.phase !== 'train' || run.step < 3 || !run.startedAt) return run.phase;
  const elapsed = (now - new Date(run.startedAt).getTime()) / 1000;
  const seconds = (elapsed / run.step) * (run.config.steps - run.step);
  return `${duration(seconds)} left`;
}
