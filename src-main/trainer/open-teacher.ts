import { CotuneError } from '../../src-shared/errors.ts';
import { inspectModelFile } from '../backbones/inspect.ts';
import type { Arrays } from '../engine/engine.ts';
import type { Task } from '../tasks/task.ts';
import { teacherName } from '../transfer/step-plan.ts';
import type { Teacher } from '../transfer/teacher.ts';
import { openTrained } from './evaluate-weights.ts';
import type { TrainJob } from './protocol.ts';

/**
 * The network that a run learns from, and its weights under their names in the training program; null where it learns from none.
 * Errors: `bad-input` where it scores another number of classes than is `wanted`, and those of reading its file.
 */
export async function openTeacher(
  { teacher: path, model }: TrainJob,
  task: Pick<Task, 'openTrained'>,
  wanted: number,
): Promise<{ teacher: Teacher; state: Arrays } | null> {
  if (path === null) return null;
  const found = 'preprocessing' in model ? await inspectModelFile(path) : null;
  const { network, weights, head } = found ? openTrained(path, found) : task.openTrained(path, model);
  if (network.targetClasses !== wanted)
    throw new CotuneError(
      'bad-input',
      `The teacher ${path} tells ${network.targetClasses} classes apart, and this run ${wanted}.`,
      'Choose a finished run on the same target classes.',
    );
  return {
    teacher: {
      network,
      head: head === 'source' ? head : 'target',
      normalization:
        found && 'preprocessing' in model
          ? { own: found.preprocessing, learners: model.preprocessing }
          : null,
    },
    state: Object.fromEntries(Object.entries(weights).map(([name, values]) => [teacherName(name), values])),
  };
}
