import { hostname } from 'node:os';
import type { StepBench } from '../../src-shared/bench.ts';
import type { Task } from '../../src-shared/contract.ts';
import type { EngineChoice, Model } from '../../src-shared/domain.ts';
import { CotuneError } from '../../src-shared/errors.ts';
import type { Context } from './context.ts';
import { usualStep } from './run-config.ts';
import { jobModel } from './run-samples.ts';

/** Steps measured, as `cotune bench` does where nothing else is said. */
const steps = 5;

/**
 * Begins to measure a training step and a pass of a network on this machine, as `cotune bench` does and for the images of a
 * usual training; the figures are kept with the model. Errors: `conflict` while a run has the machine.
 */
export function measureModel(context: Context, model: Model, engine: EngineChoice): Task {
  const { store, tasks, jobs, emit } = context;
  const [running] = store.runs.list({ status: 'running' });
  if (running)
    throw new CotuneError(
      'conflict',
      `Run ${running.id} is training: beside it ${model.name} would be measured as slower than it is.`,
      'Measure when it has ended.',
    );
  return tasks.start('measurement', `Speed of ${model.name}`, async (task) => {
    const measured: Partial<Record<StepBench['bench'], StepBench>> = {};
    for (const [at, what] of (['train', 'infer'] as const).entries()) {
      const work = {
        what,
        model: model.name,
        network: jobModel(context.home, model),
        ...usualStep(model),
        steps,
        engine,
        profile: false,
        frozen: 0,
      };
      await jobs.perform(
        { kind: 'bench', work },
        {
          hear: (message) => {
            if (message.type === 'bench' && message.result.bench === what) measured[what] = message.result;
          },
          progress: (done, total) => task.progress(at * total + done, 2 * total),
          signal: task.signal,
        },
      );
    }
    const { train, infer } = measured;
    if (!train || !infer)
      throw new CotuneError('failed', 'The trainer ended without a measurement.', 'See `cotune doctor`.');
    store.models.keepMeasurement(model.hash, {
      machine: hostname(),
      engine: train.engine.name,
      device: train.engine.device,
      batch: train.batch,
      size: train.size,
      trainingImagesPerS: train.images_per_s.median,
      inferenceImagesPerS: infer.images_per_s.median,
      trainingBytes: train.memory.peak_bytes - train.memory.before_compile_bytes,
      measuredAt: new Date().toISOString(),
    });
    emit('models.changed', {});
    return model.id;
  });
}
