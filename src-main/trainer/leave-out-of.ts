import { splits } from '../../src-shared/domain.ts';
import { leaveOut, type UnusableImages } from '../data/unusable-images.ts';
import type { FromTrainer, TrainJob } from './protocol.ts';

/** What becomes of a run's images that a later look finds damaged: each costs the run no more than itself, and is noted. */
export const leaveOutOf = (
  { samples }: Pick<TrainJob, 'samples'>,
  report: (message: FromTrainer) => void,
): UnusableImages =>
  leaveOut(
    splits.flatMap((split) => samples[split]),
    { learned: samples.train, tell: (text) => report({ type: 'note', text }) },
  );
