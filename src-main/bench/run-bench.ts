import type { RunBench, TrainerBench } from '../../src-shared/bench.ts';
import type { Phase } from '../../src-shared/domain.ts';
import type { BenchJob, FromTrainer } from '../trainer/protocol.ts';
import { benchData } from './data.ts';
import { benchRelationship } from './relationship.ts';
import { benchRun } from './run.ts';
import { benchStep } from './step.ts';

/** Measures what a job asks for, in this process. Throws the signal's reason when stopped. */
export async function runBench(
  { work }: BenchJob,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<TrainerBench | RunBench> {
  const progressOf = (phase: Phase) => (done: number, total: number) => {
    signal.throwIfAborted();
    report({ type: 'progress', phase, done, total });
  };
  switch (work.what) {
    case 'train':
      return benchStep(work, progressOf('train'));
    case 'infer':
      return benchStep(work, progressOf('evaluate'));
    case 'run':
      return benchRun(work, signal);
    case 'relationship':
      return benchRelationship(work, (done) => progressOf('prepare')(done, work.rounds));
    case 'data': {
      const { dataset, ...options } = work;
      return { bench: 'data', dataset, ...(await benchData(options, progressOf('data'))) };
    }
  }
}
