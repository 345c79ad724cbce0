import { ofImages } from '../../src-shared/run-settings.ts';
import { type EvaluationBatch, openEvaluationBatches, openTrainingBatches } from '../data/batches.ts';
import { isSteady } from '../data/training-look.ts';
import type { Arrays } from '../engine/engine.ts';
import { evaluateSplits, openTrained, type TakeFeatures } from '../trainer/evaluate-weights.ts';
import { labeledOutputs } from '../trainer/labeled-outputs.ts';
import { openSource } from '../trainer/open-source.ts';
import { prefixBatches } from '../trainer/prefix-batches.ts';
import type { AnyModel, JobModel } from '../trainer/protocol.ts';
import { keepOutputs } from '../trainer/source-logits.ts';
import { writeTrainedWeights } from '../trainer/trained-weights.ts';
import { evaluationOf, samplingOf } from '../transfer/catalog.ts';
import { frozenStage } from '../transfer/frozen-prefix.ts';
import { imageInput } from '../transfer/step-input.ts';
import type { OpenedRun, Task, TrainingData } from './task.ts';

/** A class for each image. */
export const imageClassification: Task = {
  input: imageInput,
  openSource: (model, classNames, terms) => openSource(ofPixels(model), classNames.length, terms),
  openTrained,
  writeTrained: (path, network, weights, job) =>
    writeTrainedWeights(path, network, weights, { ...job, model: ofPixels(job.model) }),
  labelsOf: (samples) => samples.map(({ label }) => label),
  async openRows(places, { model, samples, config: { size }, cacheFolder, unusable }) {
    const chosen = places.map((place) => samples.train[place]);
    const { preprocessing } = ofPixels(model);
    const images = { size, preprocessing, cacheFolder, unusable };
    const batches = await openEvaluationBatches({ samples: chosen, batch: 1, ...images });
    return { input: imageInput, size, rows: singleImages(batches) };
  },
  openTraining,
  evaluate(engine, trained, samples, { config, cacheFolder, unusable, ...job }, tested, onBatch) {
    const { size, evaluation, precision } = ofImages(config);
    const model = ofPixels(job.model);
    // On the way the center crop is enough; the weights that are tested are seen as the configuration says.
    const { views } = evaluationOf(evaluation);
    const images = {
      ...{ size, preprocessing: model.preprocessing, cacheFolder, unusable },
      ...(tested && { views }),
    };
    const predictor = { model, engine: engine.info, precision, size };
    const keep: TakeFeatures = (used, features) =>
      keepOutputs(predictor, used, features, cacheFolder, 'features');
    const isPlain = !tested || views.length === 1;
    const take = job.keepsBackbone && isPlain ? keep : undefined;
    return evaluateSplits(engine, trained, samples, images, onBatch, take);
  },
  outputs: (pretrained, { model, samples, cacheFolder, unusable, precision, size }, output, report, signal) =>
    labeledOutputs(
      pretrained,
      { model: ofPixels(model), precision, ...(size !== undefined && { size }) },
      { samples, cacheFolder, unusable },
      output === 'source-and-features' && pretrained.network.sourceClasses === 0 ? 'features' : output,
      report,
      signal,
    ),
};

async function* singleImages(batches: AsyncIterable<EvaluationBatch>): AsyncGenerator<Arrays | null> {
  for await (const { images, labels, unusable } of batches)
    yield unusable.length > 0 ? null : { images, labels };
}

/** A network of images. */
export function ofPixels(model: AnyModel): JobModel {
  if (!('preprocessing' in model)) throw new Error('This network takes texts.');
  return model;
}

async function openTraining(run: OpenedRun): Promise<TrainingData> {
  const { job, engine, network, options, unusable, weights, report, signal } = run;
  const { config, cacheFolder, samples } = job;
  const { batch, seed, steps, size, crop, augment, sampling } = ofImages(config);
  const labels = samples.train.map(({ label }) => label);
  const told = run.begins ? samplingOf(sampling).note?.(labels, steps * batch) : undefined;
  if (told) report({ type: 'note', text: told });
  // What stays as it is and sees the same pictures every time runs once for each of them, where each is seen at all.
  const stage =
    isSteady({ crop, augment }) && steps * batch >= labels.length ? frozenStage(network, options) : null;
  const progress = (done: number, total: number) => {
    signal.throwIfAborted();
    report({ type: 'progress', phase: 'data', done, total });
  };
  const model = ofPixels(job.model);
  const prefixed =
    stage === null
      ? null
      : await prefixBatches(engine, network, stage, weights(), { ...job, model }, unusable, progress);
  return {
    prefix: prefixed?.prefix ?? null,
    shapes: [{ batch, size }],
    async openFrom(startStep) {
      const batches =
        prefixed?.openFrom(startStep) ??
        (await openTrainingBatches({
          ...{ samples: samples.train, batch, size, preprocessing: model.preprocessing, seed },
          ...{ crop, augment, sampling, startStep, steps, cacheFolder, unusable },
          secondView: options.terms?.some(({ term }) => term.secondView),
          onProgress: (done, total) => report({ type: 'progress', phase: 'data', done, total }),
        }));
      return {
        async next() {
          const { images, labels: own, secondView } = await batches.next();
          return {
            shape: 0,
            fed: { images, labels: own, ...(secondView && { second_images: secondView }) },
            rows: batch,
          };
        },
        close: () => batches.close(),
      };
    },
  };
}
