import type { Engine } from '../engine/engine.ts';
import type { EvaluatedJob } from '../tasks/task.ts';
import { labelCheck } from './label-check.ts';
import { openSource } from './open-source.ts';
import type { CheckResult, CheckSample, FromTrainer, JobSample, TrainJob } from './protocol.ts';
import { areKept } from './source-logits.ts';

/** Numbers that probes multiply at most in one pass over the images: images × features × classes. A check of so many takes a minute. */
const mostWork = 4e9;

/**
 * Looks at the labels of all images of a run by the features of the network that it began with, where those are at hand: after a
 * linear probe, which has made them, and after any run on images that were ranked, mapped or checked with that network. No image passes
 * a network for it. Null where they are not, and where it would take minutes.
 */
export async function checkRunLabels(
  engine: Engine,
  { model, config, samples, classNames, cacheFolder, unusable }: EvaluatedJob & Pick<TrainJob, 'samples'>,
  report: (message: FromTrainer) => void,
  signal: AbortSignal,
): Promise<CheckResult | null> {
  if (!('preprocessing' in model)) return null;
  const { precision, size } = config;
  const predictor = { model, precision, size };
  const used = [...samples.train, ...samples.val, ...samples.test].filter(({ path }) => !unusable.has(path));
  const source = openSource(model, classNames.length);
  const work = used.length * source.network.backbone.features * classNames.length;
  if (!used.every(isChecked) || work > mostWork) return null;
  if (!areKept({ ...predictor, engine: engine.info }, used, cacheFolder, 'features')) return null;
  const began = performance.now();
  const checked = { samples: used, classNames, cacheFolder, unusable };
  const result = await labelCheck({ engine, ...source }, predictor, checked, report, signal);
  report({ type: 'checked', result });
  const seconds = (performance.now() - began) / 1000;
  report({
    type: 'note',
    text: `The labels of its ${used.length} images were looked at by linear probes of the pre-trained network’s features, in ${seconds.toFixed(1)} s.`,
  });
  return result;
}

const isChecked = (sample: JobSample): sample is CheckSample => sample.check !== undefined;
