import type { Service } from '../service/service.ts';
import { awaitRun } from './await-work.ts';
import { openProgress } from './progress.ts';
import { runAnswer } from './run-document.ts';
import type { Answer } from './session.ts';

/** Averages runs and waits for the run that this makes. */
export async function averageRuns(service: Service, way: string, runs: number[]): Promise<Answer> {
  const { id } = await service.call('runs.average', { way, runs });
  return runAnswer(service, await awaitRun(service, id, openProgress()));
}
