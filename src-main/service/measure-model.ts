import { hostname } from 'node:os';
import type { StepBench } from '../../src-shared/bench.ts';
import type { Task } from '../../src-shared/contract.ts';
import type { EngineChoice, Model } from '../../src-shared/domain.ts';
import type { Context } from './context.ts';
import { usualStep } from './run-config.ts';
import { runModel } from './run-samples.ts';
import { partOf } from './tasks.ts';

/** Steps measured, as `cotune bench` does where nothing else is said. */
const steps = 5;

/**
 * Begins to measure a training step and a pass of a network on this machine, as `cotune bench` does and for the samples of a
 * usual training; the figures are kept with the model.
 */
export function measureModel(context: Context, model: Model, engine: EngineChoice): Task {
  const { store, tasks, jobs, emit } = context;
  const step = usualStep(model);
  return tasks.start('measurement', `Speed of ${model.name}`, async (task) => {
    const measured = async (what: StepBench['bench'], at: number): Promise<StepBench> => {
      const work = {
        what,
        model: model.name,
        network: runModel(context.home, model, step),
        ...step,
        steps,
        engine,
        profile: false,
        frozen: 0,
      };
      return jobs.ask(
        { kind: 'bench', work },
        'a measurement',
        (message) => (message.type === 'bench' && message.result.bench === what ? message.result : undefined),
        partOf(task, at, 2),
      );
    };
    const [train, infer] = [await measured('train', 0), await measured('infer', 1)];
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
