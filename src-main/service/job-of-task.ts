import type { Job } from '../trainer/protocol.ts';
import type { SpawnTrainer } from './spawn-trainer.ts';
import type { TaskWork } from './tasks.ts';
import { type JobMessage, startJob } from './trainer-job.ts';

/**
 * Does a job in a trainer process for a task, which is told of its progress and whose end kills it. Throws the reason of the
 * task's signal where that ended it.
 */
export async function jobOfTask(
  spawnTrainer: SpawnTrainer,
  task: TaskWork,
  job: Job,
  onMessage: (message: JobMessage) => void,
): Promise<void> {
  task.signal.throwIfAborted();
  const running = startJob(spawnTrainer, job, (message) => {
    if (message.type === 'progress') task.progress(message.done, message.total);
    else onMessage(message);
  });
  const stop = () => running.kill();
  task.signal.addEventListener('abort', stop);
  await running.ended.finally(() => task.signal.removeEventListener('abort', stop));
  task.signal.throwIfAborted();
}
