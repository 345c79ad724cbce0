import { CotuneError } from '../../src-shared/errors.ts';
import { inspectModelFile } from '../backbones/inspect.ts';
import type { Arrays } from '../engine/engine.ts';
import { teacherName } from '../transfer/step-plan.ts';
import type { Teacher } from '../transfer/teacher.ts';
import { openTrained } from './evaluate-weights.ts';
import type { TrainJob } from './protocol.ts';

/**
 * The network that a run learns from, and its weights under their names in the training program; null where it learns from none.
 * Errors: `bad-input` where it scores another number of classes, and those of reading its file.
 */
export async function openTeacher({
  teacher: path,
  targetClasses,
  model,
}: TrainJob): Promise<{ teacher: Teacher; state: Arrays } | null> {
  if (path === null) return null;
  const found = await inspectModelFile(path);
  const { network, weights } = openTrained(path, found);
  if (network.sourceClasses !== targetClasses)
    throw new CotuneError(
      'bad-input',
      `The teacher ${path} tells ${network.sourceClasses} classes apart, and this run ${targetClasses}.`,
      'Choose a finished run on the same target classes.',
    );
  return {
    teacher: { network, normalization: found.preprocessing, learners: model.preprocessing },
    state: Object.fromEntries(Object.entries(weights).map(([name, values]) => [teacherName(name), values])),
  };
}
